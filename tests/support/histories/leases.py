"""Checks of leases: who holds a run, and whose result counts.

A lease, once another took its place, never comes back. So a lease that was granted before another one was
asked for is void from the other's grant on, and whoever shows it later must be refused. That holds for
requests that arrive twice as well: each grant makes a lease of its own.
"""

from collections.abc import Iterator, Sequence

from tests.support.histories.history import Kind, Operation
from tests.support.histories.stored import Stored


def one_holder(history: Sequence[Operation], _: Stored) -> Iterator[str]:
    """Nobody is given a run that another worker holds, unless it takes it by force.

    Leases outlast a history, so that they end by what workers do: a result, or another claim. A forced claim
    may arrive late a second time, and run with it from then on.
    """
    for run in _runs(history):
        claims = _granted(history, run)
        forced = [done for done in history if done.kind is Kind.CLAIM and done.sent.get("force") == run]
        for held in claims:
            ends = [done.began for done in history if _ends(done, run, held)] + [f.began for f in forced]
            free = min(ends, default=float("inf"))
            for other in claims:
                if other.client != held.client and held.ended < other.began and other.ended < free:
                    yield f"{other.client} was given run {run} while {held.client} held it"


def fenced_leases_stay_fenced(history: Sequence[Operation], stored: Stored) -> Iterator[str]:
    """A void lease is refused; what is stored is the one result that was acknowledged."""
    for run in _runs(history):
        claims = _granted(history, run)
        for done in history:
            if done.kind not in {Kind.HEARTBEAT, Kind.RESULT} or done.subject != run or not done.ok:
                continue
            own = next((claim for claim in claims if claim.answer["lease"] == done.sent["lease"]), None)
            if own is None:
                yield f"{done.client}: {done.kind.value} of run {run} under a lease that nobody was given"
                continue
            for later in claims:
                if own.ended < later.began and later.ended < done.began and not _repeats(done, history):
                    yield (
                        f"{done.client}: {done.kind.value} of run {run} was taken, "
                        f"which {later.client} had claimed since"
                    )
        told = [done for done in history if done.kind is Kind.RESULT and done.subject == run]
        for done in told:
            if done.ok and stored.results.get(run) != done.sent["mark"]:
                yield f"acknowledged to {done.client} and not stored: result {done.sent['mark']!r} of {run}"
        if run in stored.results and stored.results[run] not in {done.sent["mark"] for done in told}:
            yield f"run {run} has a result that nobody sent"


def _repeats(done: Operation, history: Sequence[Operation]) -> bool:
    """Whether the same result was sent before: it may have been stored while its lease was good."""
    return done.kind is Kind.RESULT and any(
        other.kind is Kind.RESULT and dict(other.sent) == dict(done.sent) and other.began < done.began
        for other in history
    )


def _ends(done: Operation, run: str, held: Operation) -> bool:
    """Whether an operation may end a lease: its holder's result, or its holder's next claim."""
    if done.client != held.client or done.began < held.ended:
        return False
    return done.kind is Kind.CLAIM or (done.kind is Kind.RESULT and done.subject == run)


def _granted(history: Sequence[Operation], run: str) -> list[Operation]:
    return [done for done in history if done.kind is Kind.CLAIM and done.ok and done.answer["run"] == run]


def _runs(history: Sequence[Operation]) -> list[str]:
    return sorted(
        {done.answer["run"] for done in history if done.kind is Kind.CLAIM and done.ok and done.answer["run"]}
    )
