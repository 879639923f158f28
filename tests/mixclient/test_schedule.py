"""Schedules: nothing malformed is followed, and what was drawn once never changes."""

import json
from dataclasses import replace
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mixclient import Schedule, ScheduleError, Stage


def document(**change: Any) -> dict[str, Any]:
    body = {
        "schema": "mixture-schedule/v1",
        "job": "run",
        "attempt": 1,
        "version": 2,
        "samples_per_step": 8,
        "lead_steps": 20,
        "ttl_steps": 500,
        "frozen": False,
        "domains": [{"name": "web", "tokens": 9}, {"name": "code", "tokens": 1}],
        "stages": [
            {"effective_step": 0, "weights": {"web": 0.9, "code": 0.1}, "version": 1, "reason": "prior"},
            {"effective_step": 40, "weights": {"code": 0.4, "web": 0.6}, "version": 2, "reason": "odm"},
        ],
    }
    return {**body, **change}


def stage(step: int, web: float, version: int) -> Stage:
    return Stage(step, (web, 1 - web), version)


def schedule(*stages: Stage, attempt: int = 1) -> Schedule:
    return Schedule("run", attempt, max(s.version for s in stages), 8, ("web", "code"), stages)


def test_a_document_is_read_by_name_and_not_by_order() -> None:
    parsed = Schedule.parse(document())
    assert parsed.stages[1].weights == (0.6, 0.4)
    assert parsed.stage_at(39).version == 1
    assert parsed.stage_at(40).version == 2


def test_a_schedule_survives_its_own_dump() -> None:
    parsed = Schedule.parse(document())
    assert Schedule.parse(json.loads(parsed.dump())) == parsed


def one_stage(**change: Any) -> list[dict[str, Any]]:
    return [{"effective_step": 0, "weights": {"web": 0.9, "code": 0.1}, "version": 1, **change}]


@pytest.mark.parametrize(
    "change",
    [
        {"schema": "mixture-schedule/v2"},
        {"schema": None},
        {"stages": []},
        {"stages": None},
        {"domains": []},
        {"domains": [{"name": "web"}, {"name": "web"}]},
        {"samples_per_step": 0},
        {"samples_per_step": "many"},
        {"stages": one_stage(weights={"web": 0.9})},
        {"stages": one_stage(weights={"web": 0.5, "code": 0.4})},
        {"stages": one_stage(weights={"web": 1.1, "code": -0.1})},
        {"stages": one_stage(weights={"web": float("nan"), "code": 1.0})},
        {"stages": one_stage(weights={"web": 0.9, "code": 0.1, "law": 0.0})},
        {"stages": [*one_stage(), *one_stage()]},
        {"stages": [{**one_stage()[0], "effective_step": 9}, *one_stage()]},
    ],
)
def test_a_document_that_must_not_be_followed_is_refused(change: dict[str, Any]) -> None:
    with pytest.raises(ScheduleError):
        Schedule.parse(document(**change))


json_values = st.recursive(
    st.none() | st.booleans() | st.floats() | st.integers() | st.text(max_size=5),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=5), inner, max_size=3),
    max_leaves=8,
)


@given(st.sampled_from(sorted(document())), json_values)
def test_no_document_breaks_the_reader_in_another_way(field: str, value: Any) -> None:
    try:
        parsed = Schedule.parse(document(**{field: value}))
    except ScheduleError:
        return
    # What is taken can be followed.
    assert parsed.samples_per_step >= 1
    assert all(abs(sum(stage.weights) - 1) <= 1e-6 for stage in parsed.stages)


def test_the_future_comes_from_the_newer_schedule_and_the_past_from_the_older() -> None:
    held = schedule(stage(0, 0.9, 1), stage(50, 0.8, 2), stage(90, 0.7, 3))
    newer = schedule(stage(50, 0.8, 2), stage(95, 0.6, 4))
    merged, late = held.merged(newer, drawn_to=60)
    assert [s.version for s in merged.stages] == [1, 2, 4]
    assert late == ()


def test_a_stage_whose_step_was_drawn_already_is_late_and_not_followed() -> None:
    held = schedule(stage(0, 0.9, 1))
    newer = schedule(stage(0, 0.9, 1), stage(50, 0.8, 2), stage(70, 0.7, 3))
    merged, late = held.merged(newer, drawn_to=60)
    assert [s.version for s in late] == [2]
    assert merged.stage_at(60).version == 1
    assert merged.stage_at(70).version == 3


@pytest.mark.parametrize(
    "newer",
    [
        schedule(stage(0, 0.9, 1)),
        schedule(stage(0, 0.9, 9), attempt=0),
        schedule(stage(0, 0.9, 9), attempt=2),
        Schedule("other", 1, 9, 8, ("web", "code"), (stage(0, 0.9, 9),)),
        Schedule("run", 1, 9, 8, ("code", "web"), (stage(0, 0.9, 9),)),
        Schedule("run", 1, 9, 16, ("web", "code"), (stage(0, 0.9, 9),)),
    ],
    ids=[
        "older version",
        "older attempt",
        "attempt of another trainer",
        "other job",
        "other domains",
        "other batch",
    ],
)
def test_a_schedule_that_is_older_or_of_something_else_is_refused(newer: Schedule) -> None:
    held = schedule(stage(0, 0.9, 1), stage(50, 0.8, 2))
    with pytest.raises(ScheduleError):
        held.merged(newer, drawn_to=10)


@given(st.lists(st.tuples(st.integers(1, 40), st.floats(0, 1)), max_size=12), st.data())
def test_whatever_arrives_the_past_stays_as_it_was_drawn(
    arrivals: list[tuple[int, float]], data: st.DataObject
) -> None:
    held, drawn_to, followed = schedule(stage(0, 0.5, 1)), -1, {}
    for version, (ahead, web) in enumerate(arrivals, start=2):
        steps = data.draw(st.integers(0, 30))
        for step in range(drawn_to + 1, drawn_to + 1 + steps):
            followed[step] = held.stage_at(step).weights
        drawn_to += steps
        planned = max(s.effective_step for s in held.stages) + ahead
        held, _ = held.merged(schedule(*held.stages[-1:], stage(planned, web, version)), drawn_to=drawn_to)
        assert {step: held.stage_at(step).weights for step in followed} == followed


def test_a_fallback_joins_the_schedule_it_finds_after_the_lead_and_keeps_what_it_drew() -> None:
    fallback = schedule(stage(0, 0.5, 0), attempt=0)
    service = replace(schedule(stage(0, 0.9, 1)), lead_steps=20)
    joined, late = fallback.merged(service, drawn_to=22)
    assert joined.stages == (stage(0, 0.5, 0), stage(43, 0.9, 1))
    assert late == ()
    # Hearing the same again, before that step or after it, changes nothing.
    assert joined.merged(service, drawn_to=30)[0].stages == joined.stages
    assert joined.merged(service, drawn_to=60)[0].stages == joined.stages
    newer = replace(schedule(stage(0, 0.9, 1), stage(40, 0.2, 2)), lead_steps=20)
    assert joined.merged(newer, drawn_to=30)[0].stages == (stage(0, 0.5, 0), stage(40, 0.2, 2))
