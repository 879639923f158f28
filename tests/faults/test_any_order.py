"""Reports in any order, late and twice: what is applied is what the rule says, and nothing else counts."""

from typing import Any
from uuid import UUID

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st

from service.jobs.definition import JobDefinition
from service.jobs.folding import Measured
from service.jobs.log import measured
from service.jobs.planning import Known, plan
from service.jobs.recording import published
from service.jobs.schemas import JobIn, ReportIn
from service.jobs.states import Head

SOURCES = ("a", "b")
JOB = JobIn.model_validate(
    {
        "name": "any-order", "policy": "odm", "samples_per_step": 8, "sources": SOURCES, "wait_steps": 10**6,
        "domains": [{"name": "web", "tokens": 9_000}, {"name": "code", "tokens": 3_000}],
    }
)  # fmt: skip
STEPS = range(9, 70, 10)


def report(source: str, step: int) -> ReportIn:
    losses = np.random.default_rng([step, SOURCES.index(source)]).uniform(2, 5, 2) * 100
    return ReportIn(
        attempt=1, source=source, step_from=step - 9, step_to=step, schedule_version=1,
        loss_sums=dict(zip(("web", "code"), losses.tolist(), strict=True)),
        token_counts={"web": 100, "code": 100},
    )  # fmt: skip


class Stored:
    """What a database would hold of the job."""

    def __init__(self) -> None:
        self.definition = JobDefinition.of(JOB)
        start = Head(0, -1, -1, 0, -1, self.definition.steering.init())
        self.head, first = published(self.definition, start, 0)
        assert first is not None
        self.weights = first.publication.stages[0].weights.tolist()
        self.rows: dict[tuple[str, int], dict[str, Any]] = {}

    def take(self, *reports: ReportIn) -> None:
        waiting: list[Measured] = [
            measured(row) for row in self.rows.values() if row["applied_seq"] is None and not row["late"]
        ]
        known = Known(self.rows, waiting, {1: self.weights})
        planned = plan(self.definition, UUID(int=0), 1, self.head, reports, known)
        self.head = planned.head
        self.rows |= {(row["source"], row["step_to"]): row for row in planned.rows}
        for key, seq in planned.placed.items():
            self.rows[key]["applied_seq"] = seq


def expected_late(order: list[tuple[str, int]]) -> set[tuple[str, int]]:
    """The rule, in words: a step is applied once all sources told it and no earlier one is half told."""
    told: dict[int, set[str]] = {}
    applied, late = -1, set()
    for source, step in order:
        if step <= applied:
            if source not in told.get(step, set()):
                late.add((source, step))
            continue
        told.setdefault(step, set()).add(source)
        for ready in sorted(at for at in told if at > applied):
            if len(told[ready]) < len(SOURCES):
                break
            applied = ready
    return late


@settings(max_examples=60)
@given(st.permutations([(source, step) for source in SOURCES for step in STEPS] * 2))
def test_case_03_any_order_of_reports_gives_what_the_rule_says(order: list[tuple[str, int]]) -> None:
    shuffled = Stored()
    for source, step in order:
        shuffled.take(report(source, step))
    late = expected_late(order)
    assert {key for key, row in shuffled.rows.items() if row["late"]} == late
    in_order = Stored()
    for step in STEPS:
        if not {(source, step) for source in SOURCES} & late:
            in_order.take(*(report(source, step) for source in SOURCES))
    steering = in_order.definition.steering
    policies = [steering.policy.dump(stored.head.state.policy) for stored in (shuffled, in_order)]
    assert policies[0] == policies[1]
    assert shuffled.head.state.consumed.tolist() == in_order.head.state.consumed.tolist()
