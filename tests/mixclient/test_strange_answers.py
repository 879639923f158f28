"""Odd measurements, odd answers and odd moments: nothing is raised, nothing waits, nothing is lost."""

import threading
from collections import Counter
from pathlib import Path
from typing import Any

import httpx
import numpy as np
import pytest
from mixclient.spool import Spool

from mixclient import MixtureClient, Sampler, Schedule, ScheduleError
from tests.support.scripted import DOCUMENT, client, schedule, stored, train
from tests.support.trainers import until


def test_steps_may_be_integers_of_numpy(tmp_path: Path) -> None:
    follower = client(tmp_path, report_every=1)
    follower.start()
    steps: Any = np.arange(3)
    sums: Any = np.ones(2)
    counts: Any = np.ones(2, dtype=np.int64)
    for step in steps:
        assert follower.step(step) == Sampler(follower.schedule).step(int(step))
        follower.record(step, loss_sums=sums, token_counts=counts)
    assert follower.close()
    assert follower.counters()["sent_reports"] == 3


@pytest.mark.parametrize(
    "answer",
    [
        httpx.Response(302, headers={"Location": "/login"}),
        httpx.Response(404, text="<html>no such site</html>"),
        httpx.Response(403, text="<html>log in first</html>"),
        httpx.Response(200, json=[]),
        httpx.Response(204),
    ],
    ids=["redirect", "foreign 404", "foreign 403", "other JSON", "nothing"],
)
def test_an_answer_that_is_not_of_the_service_takes_no_report_off(
    tmp_path: Path, answer: httpx.Response
) -> None:
    astray = [True]

    def post(request: httpx.Request) -> httpx.Response:
        if not astray[0]:
            return stored(request)
        return httpx.Response(answer.status_code, headers=answer.headers, content=answer.content)

    follower = client(tmp_path, post=post, report_every=1)
    follower.start()
    train(follower, range(3))
    until(lambda: follower.counters().get("failed_sends", 0) > 0)
    assert "sent_reports" not in follower.counters()
    astray[0] = False
    until(lambda: follower.counters().get("sent_reports") == 3)
    assert follower.close()


def test_a_batch_that_is_too_large_for_a_server_in_between_is_sent_in_parts(tmp_path: Path) -> None:
    def post(request: httpx.Request) -> httpx.Response:
        answer = stored(request)
        return (
            answer if answer.json()["accepted"] == 1 else httpx.Response(413, text="<html>too large</html>")
        )

    Spool(tmp_path / "reports.jsonl").append({"kind": "reports", "body": {}})
    follower = client(tmp_path, post=post, report_every=1)
    follower.start()
    train(follower, range(5))
    assert follower.close()
    assert follower.counters()["sent_reports"] == 6


@pytest.mark.parametrize("bad", [([1.0, 2.0], [1]), ([1.0], [1]), ([1.0, "x"], [1, 1]), (None, None)])
def test_a_measurement_that_cannot_be_used_spoils_no_other(tmp_path: Path, bad: Any) -> None:
    bodies: list[dict[str, Any]] = []

    def post(request: httpx.Request) -> httpx.Response:
        bodies.extend(httpx.Response(200, content=request.content).json().get("reports", []))
        return stored(request)

    follower = client(tmp_path, post=post, report_every=10)
    follower.start()
    follower.step(0)
    follower.record(0, loss_sums=bad[0], token_counts=bad[1])
    train(follower, range(1, 10))
    assert follower.close()
    assert follower.counters()["unusable_measurements"] == 1
    assert [body["loss_sums"] for body in bodies] == [{"web": 9.0, "code": 18.0}]


def test_what_waits_behind_a_hanging_request_is_on_disk_when_the_client_is_closed(tmp_path: Path) -> None:
    hangs, over = threading.Event(), threading.Event()

    def post(_: httpx.Request) -> httpx.Response:
        hangs.set()
        over.wait(20)
        return httpx.Response(503)

    follower = client(tmp_path, post=post, report_every=1)
    follower.start()
    follower.step(0)
    assert hangs.wait(20), "the first acknowledgement is being sent"
    train(follower, range(50))
    assert not follower.close(timeout=0.2)
    kinds = Counter(item["kind"] for item in Spool(tmp_path / "reports.jsonl").oldest(100))
    over.set()
    assert kinds["reports"] == 50


def test_a_client_that_never_started_can_be_closed(tmp_path: Path) -> None:
    assert client(tmp_path).close(timeout=0.1)


def test_a_job_that_started_on_its_fallback_follows_the_service_once_it_is_there(tmp_path: Path) -> None:
    away = [True]

    def get(request: httpx.Request) -> httpx.Response:
        if away[0]:
            raise httpx.ConnectError("refused")
        return schedule(request)

    follower = client(tmp_path, get=get, fallback={"web": 0.9, "code": 0.1}, samples_per_step=8)
    follower.start(timeout=0.1)
    drawn = [follower.step(step) for step in range(3)]
    away[0] = False
    until(lambda: follower.schedule.attempt == 1)
    assert [follower.step(step) for step in range(3)] == drawn, "what was drawn stays as it was"
    follower.close(timeout=0.2)


@pytest.mark.parametrize(
    "change",
    [
        {"attempt": float("inf")},
        {"samples_per_step": float("inf")},
        {"stages": [{"effective_step": 0, "weights": {"web": 10**400, "code": 0.5}, "version": 1}]},
    ],
    ids=["attempt", "samples", "weight"],
)
def test_numbers_that_fit_nowhere_are_a_refused_schedule(change: dict[str, Any]) -> None:
    with pytest.raises(ScheduleError):
        Schedule.parse({**DOCUMENT, **change})


def test_a_callback_that_fails_ends_neither_thread(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    follower = client(tmp_path, report_every=1)
    follower.start()

    def fail(*_: Any) -> None:
        raise KeyError("nobody foresaw this")

    monkeypatch.setattr(follower._reporter, "_on_answer", fail)
    monkeypatch.setattr(follower._poller, "_on_schedule", fail)
    follower._poller._tag = None
    train(follower, range(3))
    until(lambda: {"failed_sends", "failed_polls"} <= set(follower.counters()))
    monkeypatch.undo()
    train(follower, range(3, 6))
    until(lambda: follower.counters().get("sent_reports", 0) >= 6)
    assert follower._poller._thread.is_alive()
    assert follower.close()


def test_sources_on_one_machine_do_not_share_a_folder(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setattr(Path, "home", lambda: tmp_path)
    for source in ("rank0", "rank1"):
        MixtureClient("http://service", "key", job="run", source=source)
    assert len(list((tmp_path / ".cache" / "mixclient").iterdir())) == 2


def test_a_signal_that_cannot_be_used_costs_neither_losses_nor_other_signals(tmp_path: Path) -> None:
    bodies: list[dict[str, Any]] = []

    def post(request: httpx.Request) -> httpx.Response:
        bodies.extend(httpx.Response(200, content=request.content).json().get("reports", []))
        return stored(request)

    follower = client(tmp_path, post=post, report_every=5)
    follower.start()
    signals: Any = {"sequence_counts": [1, 2], "loss_squares": [1.0], "sequence_count": [1, 2]}
    for step in range(10):
        follower.step(step)
        follower.record(step, loss_sums=[1.0, 2.0], token_counts=[1, 1], signals=signals)
    assert follower.close()
    assert follower.counters()["unusable_measurements"] == 20
    assert [body["loss_sums"] for body in bodies] == 2 * [{"web": 5.0, "code": 10.0}]
    assert [body["signals"] for body in bodies] == 2 * [{"sequence_counts": {"web": 5, "code": 10}}]
