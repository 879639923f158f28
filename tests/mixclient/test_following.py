"""What a job follows: bounded in memory, fixed once it is drawn, and stepwise down where nobody is heard."""

import json
import logging
from dataclasses import replace

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from mixclient.following import Following

from mixclient import Sampler, Schedule, ScheduleError
from tests.support.followed import SAFE, Job, served, stage


@settings(max_examples=15)
@given(st.lists(st.integers(1, 30), min_size=10, max_size=30), st.data())
def test_stages_are_kept_as_long_as_they_can_be_asked_for_and_no_longer(
    gaps: list[int], data: st.DataObject
) -> None:
    following, last, step = Job().begun(served(stage(0, 0.5, 1))), stage(0, 0.5, 1), 0
    weights = {}
    for version, gap in enumerate(gaps, start=2):
        newest = stage(step + 5 + gap, data.draw(st.floats(0, 1)), version)
        following.take(served(last, newest))
        last = newest
        for drawn in range(step, newest.effective_step):
            weights[drawn] = following.fix(drawn).weights
        step = newest.effective_step
        assert len(following.sampler.schedule.stages) <= 50 // 5 + 3
    kept = Schedule.parse(json.loads(following.sampler.schedule.dump()))
    for back in range(max(0, step - 50), step):
        assert kept.stage_at(back).weights == weights[back]
    forgotten = kept.stages[0].effective_step - 1
    for ask in (kept.stage_at, Sampler(kept).step, following.fix):
        if forgotten >= 0:
            with pytest.raises(ScheduleError, match=f"step {forgotten} is before step {forgotten + 1}"):
                ask(forgotten)


def test_after_a_long_outage_old_versions_are_not_said_to_be_late() -> None:
    job = Job()
    following = job.begun(served(stage(0, 0.5, 1), stage(10, 0.6, 2), stage(20, 0.7, 3)))
    for step in range(500):
        following.fix(step)
    following.take(served(stage(10, 0.6, 2), stage(20, 0.7, 3), stage(30, 0.8, 4), stage(510, 0.9, 5)))
    assert job.told == [(1, 0, "applied"), (2, 10, "applied"), (3, 20, "applied"), (4, 499, "too_late")]
    assert [s.version for s in following.sampler.schedule.stages] == [3, 5]


def test_what_was_said_of_the_end_of_a_stage_stays_true() -> None:
    following = Job().begun(served(stage(0, 0.5, 1), stage(10, 0.6, 2)))
    following.fix(9)
    assert following.stage_ends(9)
    assert not following.stage_ends(10)
    following.take(served(stage(10, 0.6, 2), stage(11, 0.9, 3), stage(30, 0.8, 4)))
    assert following.fix(11).version == 2, "11 was said to go on with version 2"
    ends = [step for step in range(12, 60) if following.stage_ends(step)]
    assert ends == [29]


def test_a_job_that_begins_before_its_schedule_is_told_so_and_goes_on(
    caplog: pytest.LogCaptureFixture,
) -> None:
    following = Job().begun(served(stage(40, 0.5, 7)))
    assert following.fix(0).version == 7
    assert "give start() the from_step" in caplog.text
    following.take(served(stage(40, 0.5, 7), stage(60, 0.6, 8)))
    assert [following.fix(s).version for s in (1, 39, 40, 59, 60)] == [7, 7, 7, 7, 8]


def trace(following: Following, steps: range) -> list[float]:
    """Shares of the first domain, for a loop that asks after each step whether its stage ends.

    Asking fixes the next step as well, so that changes begin one step later.
    """
    drawn = []
    for step in steps:
        drawn.append(following.fix(step).weights[0])
        ends = following.stage_ends(step)
        assert following.drawn(step) == (following.sampler.schedule.stage_at(step), ends)
    return drawn


@pytest.mark.parametrize("safe", [None, SAFE])
def test_a_job_goes_down_once_when_its_time_is_over_and_comes_back_when_the_service_does(
    safe: dict[str, float] | None, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.INFO, "mixclient")
    job = Job(safe=safe)
    schedule = served(stage(0, 0.9, 1), stage(40, 0.8, 2), ttl=20)
    following = job.begun(schedule)
    following.heard()
    assert trace(following, range(30)) == [0.9] * 30, "a poll that is held open is no silence"
    assert not caplog.records
    job.silent = True
    went = trace(following, range(30, 80))
    # Step 30 is beyond 20 steps; what follows changes `lead_steps` later, so that every rank hears of it.
    expected = [0.9] * 10 + [0.8] * 40 if safe is None else [0.9] * 6 + [0.5] * 44
    assert went == expected
    assert [record.levelname for record in caplog.records] == ["WARNING"]
    assert following.counters["expired"] == 1
    assert following.adrift == (safe is not None)
    job.silent = False
    if following.adrift:  # it asks for the schedule even if it is the one that came last
        following.take(schedule)
    following.heard()
    assert [record.levelname for record in caplog.records] == ["WARNING", "INFO"]
    assert trace(following, range(80, 120)) == ([0.8] * 40 if safe is None else [0.5] * 6 + [0.8] * 34)
    job.silent = True
    trace(following, range(120, 160))
    assert following.counters["expired"] == 2


def test_a_fallback_that_has_not_begun_is_taken_back_when_the_service_is_heard_of() -> None:
    job = Job(safe=SAFE)
    schedule = served(stage(0, 0.9, 1), ttl=20)
    following = job.begun(schedule)
    job.silent = True
    trace(following, range(22))
    assert following.adrift
    following.take(schedule)
    assert trace(following, range(22, 60)) == [0.9] * 38


def test_a_job_of_no_attempt_joins_the_one_that_is_opened_though_versions_were_taken_back() -> None:
    held = served(stage(0, 0.9, 1), stage(10, 0.8, 2), stage(20, 0.7, 3), attempt=0)
    following = Job().begun(held, drawn_to=14)
    assert trace(following, range(15, 30)) == [0.8] * 5 + [0.7] * 10
    restored = replace(served(stage(0, 0.9, 1)), attempt=2)
    following.take(restored)
    assert trace(following, range(30, 60)) == [0.7] * 6 + [0.9] * 24
    assert following.sampler.schedule.attempt == 2
