"""What ten million steps leave behind in a trainer: nothing; and what a client tells of itself."""

import gc
import tracemalloc
from collections import Counter
from collections.abc import Callable
from pathlib import Path
from typing import Any

import httpx
import pytest
from mixclient.following import Following
from mixclient.measurements import NOTHING
from mixclient.recorder import Recorder, Step

from mixclient import MixtureClient, Schedule, Stage
from tests.support.scripted import DOCUMENT, client, schedule, stored, train
from tests.support.trainers import until

NOBODY = "http://127.0.0.1:9"


def test_nothing_grows_with_the_steps_of_a_job() -> None:
    told: Counter[str] = Counter()
    following = Following(
        seed=1, keep_steps=1000, safe=None, silent=lambda: False, told=lambda *what: told.update([what[2]])
    )
    recorder = Recorder(10, lambda steps: told.update(reported=len(steps)))

    def served(step: int, version: int) -> Schedule:
        stages = tuple(
            Stage(max(0, step - 10 * back), (0.5, 0.5), version - back) for back in reversed(range(3))
        )
        return Schedule("run", 1, version, 8, ("web", "code"), stages, lead_steps=20)

    def go_on(steps: range) -> int:
        for step in steps:
            stage = following.fix(step)
            recorder.note(step, stage, [1.0, 2.0], [1, 1], NOTHING, last=following.stage_ends(step))
            if step % 10 == 0:
                following.take(served(step + 30, step // 10 + 4))
                following.heard()
        gc.collect()
        # Of the client alone: other threads of this process come and go as they like.
        held = tracemalloc.take_snapshot().filter_traces([tracemalloc.Filter(True, "*/mixclient/*")])
        return sum(trace.size for trace in held.traces)

    following.begin(served(20, 3), drawn_to=-1)
    tracemalloc.start()
    try:
        before = go_on(range(5_000))
        assert before > 1_000, "the client holds something"
        assert go_on(range(5_000, 15_000)) < before + 20_000
    finally:
        tracemalloc.stop()
    assert told["applied"] > 1_000
    assert told["reported"] == 15_000


@pytest.mark.parametrize(("first", "pace"), [(0, 2), (3, 7), (5, 10), (4, 1000)])
def test_a_trainer_that_measures_now_and_then_reports_all_of_it(first: int, pace: int) -> None:
    handed: list[list[Step]] = []
    recorder = Recorder(10, handed.append)
    stage = Stage(0, (1.0,), 1)
    for step in range(first, first + 100 * pace, pace):
        recorder.note(step, stage, [1.0], [1], NOTHING, last=False)
    assert sum(map(len, handed)) >= 100 - 10
    assert all(len({step.number // 10 for step in steps}) == 1 for steps in handed)


def test_names_that_a_trainer_makes_up_are_counted_and_do_not_pile_up(tmp_path: Path) -> None:
    follower = client(tmp_path)
    follower.start()
    for step in range(300):
        follower.step(step)
        made_up: Any = {f"kind-{step}": 1}
        follower.record(step, loss_sums=[1.0, 2.0], token_counts=[1, 1], signals=made_up)
    assert follower.counters()["unusable_measurements"] == 300
    assert len(follower._outgoing._told) <= 100
    assert follower.close()


def test_a_user_without_a_home_trains_and_is_told_where_reports_wait(
    monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    def homeless() -> Path:
        raise RuntimeError("Could not determine home directory.")

    monkeypatch.setattr(Path, "home", homeless)
    follower = MixtureClient(NOBODY, "key", job="run", fallback={"web": 1.0}, samples_per_step=8)
    assert "give folder=" in caplog.text
    follower.start(timeout=0.0)
    assert follower.step(0) == [0] * 8
    assert follower.gauges()["spool_on_disk"] == 0
    follower.close(timeout=0.0)


@pytest.mark.parametrize("broken", ["file", "schedule"])
def test_a_folder_that_cannot_be_used_stops_nothing(tmp_path: Path, broken: str) -> None:
    folder = tmp_path / "folder"
    if broken == "file":
        folder.write_text("no folder")
    else:
        (folder / "schedule.json").mkdir(parents=True)
    follower = client(folder, report_every=1)
    follower.start()
    train(follower, range(5))
    assert follower.close()
    assert follower.counters()["sent_reports"] == 5


def test_what_cannot_become_a_report_costs_no_other(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    follower = client(tmp_path, report_every=1)
    follower.start()
    reports: Callable[..., Any] = follower._outgoing.reports

    def fails_once(steps: list[Step]) -> list[dict[str, Any]]:
        if steps[0].number == 1:
            raise KeyError("nobody foresaw this")
        made: list[dict[str, Any]] = reports(steps)
        return made

    monkeypatch.setattr(follower._reporter, "_prepare", fails_once)
    train(follower, range(4))
    assert follower.close()
    counted = follower.counters()
    assert (counted["sent_reports"], counted["dropped_unusable"]) == (3, 1)


def test_a_client_tells_how_things_stand(tmp_path: Path) -> None:
    away = [False]

    def get(request: httpx.Request) -> httpx.Response:
        return httpx.Response(502) if away[0] else schedule(request, ttl_steps=5)

    def post(request: httpx.Request) -> httpx.Response:
        return httpx.Response(502) if away[0] else stored(request)

    safe = {"web": 0.9, "code": 0.1}
    follower = client(
        tmp_path, get=get, post=post, report_every=1, fallback=safe, after_ttl="fallback", spool_limit=4
    )
    assert follower.gauges()["version"] == 0
    follower.start()
    train(follower, range(3))
    until(lambda: follower.counters().get("sent_reports") == 3)
    heard = follower.gauges()
    assert (heard["rung"], heard["attempt"], heard["version"], heard["drawn_to"]) == (0, 1, 1, 2)
    assert (heard["spooled_reports"], heard["spooled_bytes"], heard["spool_on_disk"]) == (0, 0, 1)
    away[0] = True
    until(lambda: follower.gauges()["rung"] == 1)
    train(follower, range(3, 20))
    until(lambda: follower.gauges()["spooled_reports"] == 4)
    unheard = follower.gauges()
    assert unheard["rung"] == 3
    assert unheard["spooled_bytes"] > 0
    assert unheard["seconds_since_heard"] > 0
    assert all(isinstance(value, int | float) for value in {**unheard, **follower.counters()}.values())
    away[0] = False
    until(lambda: follower.gauges()["rung"] == 0)
    train(follower, range(20, 22))
    assert follower.close()
    counted = follower.counters()
    assert counted["polls"] > counted["failed_polls"] > 0
    assert counted["recorded_reports"] >= counted["sent_reports"] > 3
    assert counted["dropped_from_spool"] > 0
    assert DOCUMENT["version"] == follower.gauges()["version"]
