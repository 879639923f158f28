"""Forks, workers, several processes and the end of one: what was started in one process stays its own."""

import multiprocessing
import os
import pickle
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import httpx
import pytest
from mixclient.folder import Folder
from mixclient.spool import Spool

from mixclient import ForkedClientError, Sampler, Schedule
from tests.support.scripted import DOCUMENT, client, stored, train
from tests.support.servers import Service
from tests.support.trainers import client as real_client
from tests.support.trainers import create, until
from tests.support.trainers import train as train_really

# Python 3.12 and later warn of forks of a process with threads: that such forks do no harm is tested here.
pytestmark = pytest.mark.filterwarnings("ignore:This process:DeprecationWarning")


def forked(work: Callable[[], object]) -> int:
    """Exit status of a forked process that does something."""
    child = os.fork()
    if child == 0:
        try:
            work()
        except BaseException:  # noqa: BLE001 - pytest must not go on in the child
            os._exit(1)
        os._exit(0)
    return os.waitstatus_to_exitcode(os.waitpid(child, 0)[1])


def test_a_forked_copy_reads_what_was_fixed_and_says_where_to_ask_for_more(tmp_path: Path) -> None:
    posts: list[int] = []

    def post(request: httpx.Request) -> httpx.Response:
        posts.append(os.getpid())
        return stored(request)

    follower = client(tmp_path, post=post, report_every=1)
    follower.start()
    train(follower, range(5))
    drawn = [follower.step(step) for step in range(5)]
    files = {path: path.read_bytes() for path in tmp_path.iterdir() if path.name != "reports.jsonl"}

    def child() -> None:
        assert [follower.step(step) for step in range(5)] == drawn
        assert follower.stage(4).version == follower.schedule.version == 1
        assert not follower.stage_ends(3)
        assert Sampler(follower.schedule).step(9) == Sampler(follower.schedule).step(9)
        for ask in (follower.step, follower.stage, follower.stage_ends):
            with pytest.raises(ForkedClientError, match=r"steps up to 4 were fixed.*Draw in the process"):
                ask(5)
        with pytest.raises(ForkedClientError, match="started before a fork"):
            follower.start()
        follower.record(4, loss_sums=[1.0, 2.0], token_counts=[1, 1])
        assert follower.counters()["recorded_after_fork"] == 1
        assert follower.gauges()["version"] == 1
        follower.close()
        assert {thread.name for thread in threading.enumerate()} == {"MainThread"}

    assert forked(child) == 0
    assert {path: path.read_bytes() for path in files} == files
    train(follower, range(5, 10))
    assert follower.close()
    assert follower.counters()["sent_reports"] == 10
    assert set(posts) == {os.getpid()}


def test_a_copy_never_waits_for_a_lock_that_was_held_when_it_was_made(tmp_path: Path) -> None:
    follower = client(tmp_path)
    follower.start()
    train(follower, range(3))
    with follower._following._lock, follower._spool._lock:

        def child() -> None:
            assert follower.step(1)
            follower.record(1, loss_sums=[1.0, 2.0], token_counts=[1, 1])
            follower.counters()
            follower.gauges()
            follower.close()

        holder = threading.Thread(target=lambda: codes.append(forked(child)))
        codes: list[int] = []
        holder.start()
        holder.join(20)
    assert codes == [0]
    follower.close(timeout=0.1)


def test_connections_of_the_one_that_was_forked_stay_open(service: Service, tmp_path: Path) -> None:
    create(service)
    follower = real_client(service.url, service.key, tmp_path)
    follower.start()
    train_really(follower, range(20))
    until(lambda: service.client.job("run")["reported_step"] == 19)
    polls = follower.counters()["polls"]
    for _ in range(3):
        assert forked(follower.close) == 0
    train_really(follower, range(20, 60), paced_by=service)
    assert follower.close()
    counted = follower.counters()
    assert "failed_polls" not in counted
    assert "failed_sends" not in counted
    assert counted["polls"] > polls
    job = service.client.job("run")
    assert (job["reported_step"], job["reports_duplicate"]) == (59, 0)


def test_a_client_that_was_made_before_a_fork_is_started_after_it(tmp_path: Path) -> None:
    follower = client(tmp_path, report_every=1)

    def child() -> None:
        follower.start()
        train(follower, range(3))
        assert follower.close()
        assert follower.counters()["sent_reports"] == 3

    assert forked(child) == 0


@pytest.mark.parametrize("method", ["fork", "spawn"])
def test_workers_draw_what_their_trainer_draws(tmp_path: Path, method: str) -> None:
    follower = client(tmp_path)
    follower.start()
    drawn = [follower.step(step) for step in range(8)]
    with multiprocessing.get_context(method).Pool(2) as workers:
        assert workers.map(Sampler(follower.schedule).step, range(8)) == drawn
    assert follower.close()


def test_a_client_says_what_to_give_to_other_processes_in_its_stead(tmp_path: Path) -> None:
    with pytest.raises(TypeError, match="give others its schedule"):
        pickle.dumps(client(tmp_path))


def test_a_second_process_on_one_folder_keeps_its_reports_to_itself(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    holder = (
        "import sys, time; from pathlib import Path; from mixclient.folder import Folder\n"
        f"folder = Folder(Path({str(tmp_path)!r})); print(folder.reports, flush=True); sys.stdin.read()"
    )
    other = subprocess.Popen(
        [sys.executable, "-c", holder], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    )
    with other:
        assert other.stdout is not None
        assert other.stdout.readline().strip() == str(tmp_path / "reports.jsonl")
        first = Spool(tmp_path / "reports.jsonl")
        first.append({"kind": "reports", "body": {"of": "the other"}})
        before = (tmp_path / "reports.jsonl").read_bytes()
        follower = client(tmp_path, report_every=1)
        assert "another process keeps its reports" in caplog.text
        follower.start()
        train(follower, range(3))
        assert follower.close()
        assert follower.counters()["sent_reports"] == 3, "those of the other are not sent twice"
        assert (tmp_path / "reports.jsonl").read_bytes() == before
        assert not (tmp_path / "schedule.json").exists()
        other.communicate("")
    assert Folder(tmp_path).reports is not None, "it is free when the process has ended"


LEAVING = """
import os, sys
from pathlib import Path
from mixclient import MixtureClient
client = MixtureClient(sys.argv[1], "key", job="run", folder=Path(sys.argv[2]), report_every=7)
client.start(timeout=0.0)
for step in range(20):
    client.step(step)
    client.record(step, loss_sums=[1.0, 2.0], token_counts=[1, 1])
"""


@pytest.mark.parametrize("end", ["", "sys.exit(3)", "raise KeyError('a bug')", "os.kill(os.getpid(), 2)"])
def test_an_interpreter_that_ends_without_close_waits_for_nobody_and_loses_nothing(
    tmp_path: Path, end: str
) -> None:
    Folder(tmp_path).keep(Schedule.parse(DOCUMENT))
    with socket.create_server(("127.0.0.1", 0)) as silent:  # takes connections, and never answers
        url = f"http://127.0.0.1:{silent.getsockname()[1]}"
        command = [sys.executable, "-c", LEAVING + end, url, str(tmp_path)]
        began = time.monotonic()
        subprocess.run(command, capture_output=True, check=False)
        # A process that waited for its poll would take half a minute for it.
        assert time.monotonic() - began < 20
    items = Spool(tmp_path / "reports.jsonl").oldest(100)
    assert [item["body"]["step_to"] for item in items if item["kind"] == "reports"] == [6, 13, 19]


def test_a_signal_handler_may_close_the_client_whose_call_it_interrupts(tmp_path: Path) -> None:
    follower = client(tmp_path, report_every=1)
    follower.start()
    put = follower._reporter.put
    done: list[Any] = []

    def interrupted(item: Any) -> None:
        put(item)
        if not done:
            with follower._following._lock:  # as a handler finds it that runs within step()
                done.append(follower.step(1))
                done.append(follower.close(timeout=5))

    follower._recorder._hand_over = interrupted
    worker = threading.Thread(target=train, args=(follower, range(2)), daemon=True)
    worker.start()
    worker.join(20)
    assert not worker.is_alive()
    assert done == [Sampler(follower.schedule).step(1), True]
    assert follower.close(), "a second time it does nothing"
