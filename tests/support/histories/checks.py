"""What must be true of every history, whatever failed while it was made. Pure functions.

After Jepsen (Kingsbury, jepsen.io): clients note what they send and are told, and a checker looks for what no
correct service could have answered. An operation without an answer may have happened or not, and may happen
later, once; the checks below hold in either case.
"""

from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from itertools import pairwise

from tests.support.histories.history import Kind, Operation, Outcome
from tests.support.histories.leases import fenced_leases_stay_fenced, one_holder
from tests.support.histories.stored import Stored

History = Sequence[Operation]
Check = Callable[[History, Stored], Iterator[str]]

# What clients may be told by a service that does all it should: a run was taken over, nothing holds a job.
_EXPECTED = {Kind.CLAIM: 409, Kind.HEARTBEAT: 409, Kind.RESULT: 409}


def no_report_is_lost(history: History, stored: Stored) -> Iterator[str]:
    """Every report that was acknowledged is stored, and all that real clients measured."""
    there = {
        (name, report.source, report.step) for name, job in stored.jobs.items() for report in job.reports
    }
    for done in _of(history, Kind.REPORT):
        key = (done.subject, done.sent["source"], done.sent["step"])
        if done.ok and key not in there:
            yield f"acknowledged to {done.client} and not stored: report {key}"
    for name, measured in _trained(history).items():
        held = _total([report.counts for report in stored.jobs[name].reports])
        if held != measured:
            yield f"{name}: trainers measured {measured} tokens, reports hold {held}"


def no_report_counts_twice(history: History, stored: Stored) -> Iterator[str]:
    """What is stored was sent, once, with these numbers; and each number counts once in the job's state."""
    sent = {
        (done.subject, done.sent["source"], done.sent["step"]): tuple(done.sent["counts"])
        for done in _of(history, Kind.REPORT)
    }
    trained = _trained(history)
    for name, job in stored.jobs.items():
        times = Counter((report.attempt, report.source, report.step) for report in job.reports)
        yield from (f"stored {count} times: {name}, {key}" for key, count in times.items() if count > 1)
        for report in job.reports if name not in trained else ():
            offered = sent.get((name, report.source, report.step))
            if offered != report.counts:
                yield f"{name}: {report} is stored, {offered} was sent"
        if job.accepted != len(job.reports):
            yield f"{name}: {job.accepted} reports were counted, {len(job.reports)} are stored"
        total = _total([report.counts for report in job.reports if report.applied])
        if job.consumed != (total or (0,) * len(job.consumed)):
            yield f"{name}: the state has counted {job.consumed} tokens, reports hold {total}"


def versions_are_what_the_log_says(_: History, stored: Stored) -> Iterator[str]:
    """Versions are numbered without a gap, and the log gives the same weights again."""
    for name, job in stored.jobs.items():
        numbers = [number for number, _ in job.versions]
        if numbers != list(range(1, len(numbers) + 1)):
            yield f"{name}: versions are numbered {numbers}"
        if [weights for _, weights in job.versions] != list(job.replayed):
            yield f"{name}: its log gives other versions than were published"


def versions_rise(history: History, _: Stored) -> Iterator[str]:
    """Nobody who follows a job is ever given an older version than before."""
    for followed in _by_client(history, Kind.FOLLOW).values():
        for before, after in pairwise(followed):
            if tuple(after.answer["version"]) < tuple(before.answer["version"]):
                yield f"{after.client} was at {before.answer} of {after.subject} and got {after.answer}"


def versions_are_published(history: History, stored: Stored) -> Iterator[str]:
    """Nobody is given a version that is not stored."""
    newest = {name: len(job.versions) for name, job in stored.jobs.items()}
    for done in _of(history, Kind.FOLLOW):
        if done.ok and done.answer["version"][1] > newest[done.subject]:
            yield f"{done.client} got {done.answer} of {done.subject}, which has {newest[done.subject]}"


def creations_happen_once(history: History, stored: Stored) -> Iterator[str]:
    """What was created, however often it was asked for, is there once, and everybody was told of that one."""
    for name, ids in stored.created.items():
        if len(ids) > 1:
            yield f"{name} was created {len(ids)} times"
    for done in _of(history, Kind.CREATE):
        if done.ok and [done.answer["id"]] != list(stored.created.get(done.subject, ())):
            yield f"{done.client} was given {done.subject} as {done.answer['id']}, which is not what is there"


def orders_are_on_the_record_once(history: History, stored: Stored) -> Iterator[str]:
    """An acknowledged order is in the audit trail, and no order is there twice or was never given."""
    given = {(done.subject, done.sent["reason"]) for done in _of(history, Kind.ORDER)}
    for name, job in stored.jobs.items():
        for reason, times in Counter(job.orders).items():
            if times > 1 or (name, reason) not in given:
                yield f"{name}: order {reason!r} is {times} times on the record"
    for done in _of(history, Kind.ORDER):
        if done.ok and done.sent["reason"] not in stored.jobs[done.subject].orders:
            yield f"acknowledged to {done.client} and not on the record: {done.sent['reason']!r}"


def refusals_have_a_cause(history: History, _: Stored) -> Iterator[str]:
    """A fault is never told as if it were the caller's, nor as an error of the service's own."""
    for done in history:
        if done.outcome is Outcome.REFUSED and done.answer.get("status") != _EXPECTED.get(done.kind, 0):
            yield f"{done.client}: {done.kind.value} of {done.subject} was refused: {dict(done.answer)}"


CHECKS: tuple[Check, ...] = (
    no_report_is_lost,
    no_report_counts_twice,
    versions_are_what_the_log_says,
    versions_rise,
    versions_are_published,
    creations_happen_once,
    orders_are_on_the_record_once,
    one_holder,
    fenced_leases_stay_fenced,
    refusals_have_a_cause,
)


def violations(history: History, stored: Stored) -> list[str]:
    """Everything that must not be, each with the name of the check that it fails."""
    return [f"{check.__name__}: {text}" for check in CHECKS for text in check(history, stored)]


def _trained(history: History) -> dict[str, tuple[int, ...]]:
    """Tokens by domain that real clients measured, by job."""
    lives: dict[str, list[tuple[int, ...]]] = {}
    for done in _of(history, Kind.TRAIN):
        lives.setdefault(done.subject, []).append(tuple(done.sent["counts"]))
    return {name: _total(counts) for name, counts in lives.items()}


def _total(counts: Sequence[tuple[int, ...]]) -> tuple[int, ...]:
    return tuple(sum(column) for column in zip(*counts, strict=True))


def _of(history: History, kind: Kind) -> list[Operation]:
    return [operation for operation in history if operation.kind is kind]


def _by_client(history: History, kind: Kind) -> dict[tuple[str, str], list[Operation]]:
    found: dict[tuple[str, str], list[Operation]] = {}
    for operation in _of(history, kind):
        if operation.ok:
            found.setdefault((operation.client, operation.subject), []).append(operation)
    return found
