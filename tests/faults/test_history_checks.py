"""A history of a service that did all right passes; each thing that may go wrong in one is found."""

from collections.abc import Callable
from dataclasses import replace
from typing import Any

import pytest

from tests.support.histories.checks import CHECKS, violations
from tests.support.histories.history import Kind, Operation, Outcome
from tests.support.histories.stored import Stored, StoredJob, StoredReport

A, B = (1, 2), (3, 4)  # tokens of two domains
FIRST, SECOND = StoredReport(1, "a", 9, A, applied=True), StoredReport(1, "a", 19, B, applied=True)
TRAINED = StoredReport(1, "rank0", 9, (5, 6), applied=True)
WEIGHTS = (0, 0.5, 0.5)
PLAIN = StoredJob([FIRST, SECOND], 2, (4, 6), [(1, WEIGHTS), (2, WEIGHTS)], [WEIGHTS, WEIGHTS], ["calm"])
REAL = StoredJob([TRAINED], 1, (5, 6), [(1, WEIGHTS)], [WEIGHTS])
STORED = Stored({"plain": PLAIN, "real": REAL}, {"run": "one"}, {"study": ["id"]})


def did(client: str, kind: Kind, subject: str, *answer: Any, unknown: bool = False, **sent: Any) -> Operation:
    """An operation with its answer; its times follow from its place in the history."""
    outcome = Outcome.UNKNOWN if unknown else Outcome.OK
    return Operation(client, kind, subject, sent, outcome=outcome, answer=answer[0] if answer else {})


def timed(*operations: Operation) -> list[Operation]:
    """One after the other, two seconds each."""
    return [replace(done, began=2.0 * at, ended=2.0 * at + 1) for at, done in enumerate(operations)]


GOOD = timed(
    did("creator", Kind.CREATE, "study", unknown=True),
    did("creator", Kind.CREATE, "study", {"id": "id"}),
    did("source", Kind.REPORT, "plain", source="a", step=9, counts=A),
    did("source", Kind.REPORT, "plain", source="a", step=19, counts=B, unknown=True),
    did("source", Kind.REPORT, "plain", source="a", step=29, counts=B, unknown=True),
    did("trainer", Kind.TRAIN, "real", counts=(5, 6)),
    did("poller", Kind.FOLLOW, "plain", {"version": (1, 1)}),
    did("poller", Kind.FOLLOW, "plain", {"version": (1, 2)}),
    did("operator", Kind.ORDER, "plain", reason="calm"),
    did("w1", Kind.CLAIM, "", {"run": "run", "lease": "l1"}),
    did("w1", Kind.HEARTBEAT, "run", lease="l1"),
    did("w2", Kind.CLAIM, "run", {"run": "run", "lease": "l2"}, force="run"),
    did("w2", Kind.RESULT, "run", lease="l2", mark="one"),
)  # fmt: skip
UNFORCED = [replace(done, sent={}) if "force" in done.sent else done for done in GOOD]


def job(stored: Stored = STORED, **changes: Any) -> Stored:
    """What is stored, but for one job."""
    return replace(stored, jobs={**stored.jobs, "plain": replace(PLAIN, **changes)})


def without(*indices: int) -> list[Operation]:
    return [done for at, done in enumerate(GOOD) if at not in indices]


def with_more(*operations: Operation) -> list[Operation]:
    return timed(*GOOD, *operations)


BROKEN: list[tuple[str, list[Operation], Stored]] = [
    ("no_report_is_lost", GOOD, job(reports=[SECOND], accepted=1, consumed=B)),
    ("no_report_is_lost", GOOD, replace(STORED, jobs={**STORED.jobs, "real": StoredJob()})),
    ("no_report_counts_twice", GOOD, job(reports=[FIRST, FIRST, SECOND], accepted=3, consumed=(5, 8))),
    ("no_report_counts_twice", GOOD, job(consumed=(5, 8))),
    ("no_report_counts_twice", GOOD, job(accepted=3)),
    ("no_report_counts_twice", without(3), STORED),
    ("no_report_counts_twice", GOOD, job(reports=[FIRST, replace(SECOND, counts=A)], consumed=(2, 4))),
    ("versions_are_what_the_log_says", GOOD, job(replayed=[WEIGHTS, (1, 0.5, 0.5)])),
    ("versions_are_what_the_log_says", GOOD, job(versions=[(1, WEIGHTS), (3, WEIGHTS), (4, WEIGHTS)])),
    ("versions_rise", with_more(did("poller", Kind.FOLLOW, "plain", {"version": (1, 1)})), STORED),
    ("versions_are_published", with_more(did("late", Kind.FOLLOW, "plain", {"version": (1, 3)})), STORED),
    ("creations_happen_once", GOOD, replace(STORED, created={"study": ["id", "other"]})),
    ("creations_happen_once", GOOD, replace(STORED, created={"study": ["other"]})),
    ("creations_happen_once", GOOD, replace(STORED, created={})),
    ("orders_are_on_the_record_once", GOOD, job(orders=[])),
    ("orders_are_on_the_record_once", GOOD, job(orders=["calm", "calm"])),
    ("orders_are_on_the_record_once", GOOD, job(orders=["calm", "storm"])),
    ("one_holder", UNFORCED, STORED),
    ("fenced_leases_stay_fenced", with_more(did("w1", Kind.HEARTBEAT, "run", lease="l1")), STORED),
    ("fenced_leases_stay_fenced", with_more(did("w1", Kind.RESULT, "run", lease="l1", mark="two")), STORED),
    ("fenced_leases_stay_fenced", GOOD, replace(STORED, results={})),
    ("fenced_leases_stay_fenced", GOOD, replace(STORED, results={"run": "two"})),
    ("fenced_leases_stay_fenced", without(9), STORED),
    (
        "refusals_have_a_cause",
        [*GOOD, replace(GOOD[2], outcome=Outcome.REFUSED, answer={"status": 500})],
        STORED,
    ),
    (
        "refusals_have_a_cause",
        [replace(done, outcome=Outcome.REFUSED) if done.kind is Kind.TRAIN else done for done in GOOD],
        STORED,
    ),
]


def test_a_good_history_has_no_violation() -> None:
    assert violations(GOOD, STORED) == []


@pytest.mark.parametrize(("check", "history", "stored"), BROKEN)
def test_a_broken_history_is_found_by_the_check_of_what_is_broken(
    check: str, history: list[Operation], stored: Stored
) -> None:
    assert check in {text.split(":")[0] for text in violations(history, stored)}


def test_every_check_has_a_history_that_it_finds() -> None:
    assert {check.__name__ for check in CHECKS} == {check for check, *_ in BROKEN}


@pytest.mark.parametrize(
    "changed",
    [
        lambda: (GOOD, job(reports=[FIRST], accepted=1, consumed=A)),  # what had no answer did not happen
        lambda: (without(0), STORED),
        lambda: (with_more(did("w2", Kind.RESULT, "run", lease="l2", mark="one")), STORED),  # said again
        lambda: (with_more(did("operator", Kind.ORDER, "plain", reason="wind", unknown=True)), STORED),
    ],
)
def test_what_nobody_knows_the_outcome_of_may_have_happened_or_not(
    changed: Callable[[], tuple[list[Operation], Stored]],
) -> None:
    assert violations(*changed()) == []
