"""What a request's reports would change.

Decided without touching the database, so that one bad report fails alone and a request is stored whole
or not at all.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any
from uuid import UUID

from mixlaws.domains import DomainSet
from service.errors import ConflictError, InvalidRequestError
from service.jobs.definition import JobDefinition
from service.jobs.folding import Folded, Head, Measured, fold
from service.jobs.schemas import ReportIn

_COMPARED = ("step_from", "schedule_version", "loss_sums", "token_counts", "non_finite", "signals")


@dataclass(frozen=True)
class Plan:
    """What to write.

    Args:
        rows: new reports, as columns.
        placed: reports that had waited, with their place in the fold.
        folded: the new head of the job.
        duplicates: reports that were there before.
        late: new reports that came late.
    """

    rows: list[dict[str, Any]]
    placed: dict[tuple[str, int], int]
    folded: Folded
    duplicates: int
    late: int


@dataclass(frozen=True)
class Known:
    """What the database holds of a job.

    Args:
        stored: reports of the request's keys that are there already, as columns, by (source, step_to).
        waiting: reports that wait for other sources.
        weights_of: weights of the schedule versions that reports name.
    """

    stored: Mapping[tuple[str, int], Mapping[str, Any]]
    waiting: Sequence[Measured]
    weights_of: Mapping[int, Sequence[float]]


def plan(
    definition: JobDefinition,
    job_id: UUID,
    attempt: int,
    head: Head,
    reports: Sequence[ReportIn],
    known: Known,
) -> Plan:
    """Decide what a request's reports change.

    Raises:
        ConflictError: a report is of a fenced attempt, an undeclared source, or contradicts a stored one.
        InvalidRequestError: a report names an unknown domain or version; the detail names the report.
    """
    seen = dict(known.stored)
    rows: list[dict[str, Any]] = []
    duplicates = 0
    for number, report in enumerate(reports):
        _check(definition, attempt, number, report, known)
        row = _columns(definition.problem.domains, job_id, number, report)
        key = (report.source, report.step_to)
        if key not in seen:
            seen[key] = row
            rows.append({**row, "late": report.step_to <= head.applied_step})
            continue
        duplicates += 1
        if any(seen[key][name] != row[name] for name in _COMPARED):
            raise ConflictError(
                f"reports.{number}: source {report.source!r} reported step {report.step_to} of attempt "
                f"{attempt} with other values: the first report stands",
                code="other_report",
                extra={side: {name: values[name] for name in _COMPARED} for side, values in
                       (("stored", seen[key]), ("offered", row))},
            )  # fmt: skip
    fresh = [measured(row) for row in rows if not row["late"]]
    folded = fold(definition, head, [*known.waiting, *fresh], known.weights_of)
    new = {(row["source"], row["step_to"]) for row in rows}
    for row in rows:
        row["applied_seq"] = folded.applied.get((row["source"], row["step_to"]))
    placed = {key: seq for key, seq in folded.applied.items() if key not in new}
    return Plan(rows, placed, folded, duplicates, sum(row["late"] for row in rows))


def measured(row: Mapping[str, Any]) -> Measured:
    """A stored or new report as the fold reads it."""
    return Measured(
        source=row["source"],
        step_to=row["step_to"],
        schedule_version=row["schedule_version"],
        loss_sums=row["loss_sums"],
        token_counts=row["token_counts"],
    )


def _check(definition: JobDefinition, attempt: int, number: int, report: ReportIn, known: Known) -> None:
    if report.attempt != attempt:
        fenced = report.attempt < attempt
        raise ConflictError(
            f"reports.{number}: attempt {report.attempt} "
            + (
                f"is fenced: attempt {attempt} is open now. Stop this trainer"
                if fenced
                else "was never opened"
            ),
            code="stale_attempt" if fenced else "unknown_attempt",
        )
    if report.source not in definition.sources:
        raise ConflictError(
            f"reports.{number}: source {report.source!r} is not declared: the job has "
            f"{', '.join(definition.sources)}",
            code="undeclared_source",
        )
    if report.step_from > report.step_to:
        raise InvalidRequestError(
            f"reports.{number}: step_from {report.step_from} is after step_to {report.step_to}"
        )
    if report.schedule_version not in known.weights_of:
        raise InvalidRequestError(
            f"reports.{number}: schedule_version {report.schedule_version} was never published",
            code="unknown_version",
        )


def _columns(domains: DomainSet, job_id: UUID, number: int, report: ReportIn) -> dict[str, Any]:
    for field in (report.loss_sums, report.token_counts, report.non_finite):
        for name in field:
            domains.index(name)
    counts = [int(count) for count in domains.to_array(report.token_counts, missing=0)]
    sums = [report.loss_sums.get(name) for name in domains.names]
    silent = [
        name
        for name, value, count in zip(domains.names, sums, counts, strict=True)
        if value is None and count and name in report.loss_sums and name not in report.non_finite
    ]
    if silent:
        raise InvalidRequestError(
            f"reports.{number}: the loss of {', '.join(silent)} is null: name the domain in non_finite, "
            "or leave it out if it was not observed"
        )
    return {
        "job_id": job_id,
        "attempt": report.attempt,
        "source": report.source,
        "step_to": report.step_to,
        "step_from": report.step_from,
        "schedule_version": report.schedule_version,
        "loss_sums": sums,
        "token_counts": counts,
        "non_finite": sorted(set(report.non_finite)),
        "signals": report.signals,
        "applied_seq": None,
        "taken_back": False,
    }
