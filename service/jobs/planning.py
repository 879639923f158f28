"""What a request's reports would change.

Decided without touching the database, so that one bad report fails alone and a request is stored whole
or not at all.
"""

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any
from uuid import UUID

from mixlaws.domains import DomainSet
from mixlaws.errors import InvalidInputError
from mixlaws.steering.events import Event
from service.errors import ConflictError, InvalidRequestError, code_of
from service.jobs.adding import check
from service.jobs.definition import JobDefinition
from service.jobs.folding import Measured, WeightsOf, folded, ready
from service.jobs.log import measured
from service.jobs.oddities import oddities
from service.jobs.recording import Published, published, within_size
from service.jobs.schemas import ReportIn
from service.jobs.states import Head

# Steps by which a source may go back before it must have been restarted: later ones are only out of order.
REGRESS_STEPS = 1000
_MOST_WARNINGS = 20
_COMPARED = ("step_from", "schedule_version", "loss_sums", "token_counts", "non_finite", "signals")
_SIZE_EVERY = 10  # places in the log: to look at the size of a state costs a fifth of a fold


@dataclass(frozen=True)
class Plan:
    """What to write.

    Args:
        before: where the job stood.
        rows: new reports, as columns.
        placed: places in the log of all reports that were applied, by (source, step_to).
        head: where the job stands then.
        published: what was published, if anything.
        events: what happened beside, by place.
        duplicates: reports that were there before.
        late: new reports that came late.
        warnings: what is odd about what was taken.
    """

    before: Head
    rows: list[dict[str, Any]]
    placed: dict[tuple[str, int], int]
    head: Head
    published: Published | None
    events: list[tuple[int, Event]]
    duplicates: int
    late: int
    warnings: list[str]

    @property
    def placed_before(self) -> dict[tuple[str, int], int]:
        """The places of those that had waited in the database."""
        new = {(row["source"], row["step_to"]) for row in self.rows}
        return {key: seq for key, seq in self.placed.items() if key not in new}


@dataclass(frozen=True)
class Known:
    """What the database holds of a job.

    Args:
        stored: reports of the request's keys that are there already, as columns, by (source, step_to).
        waiting: reports that wait for other sources.
        weights_of: weights of the schedule versions that reports name.
        last_of: last step that a source has reported in this attempt, of sources that may have gone back.
    """

    stored: Mapping[tuple[str, int], Mapping[str, Any]]
    waiting: Sequence[Measured]
    weights_of: WeightsOf
    last_of: Mapping[str, int] = field(default_factory=dict)


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
        ConflictError: a report is of a fenced attempt, an undeclared source, contradicts a stored one, or
            goes back as only a restart does.
        InvalidRequestError: a report names an unknown domain or version; the detail names the report.
    """
    seen = dict(known.stored)
    rows: list[dict[str, Any]] = []
    warnings: list[str] = []
    duplicates = 0
    for number, report in enumerate(reports):
        _check(definition, attempt, number, report, known)
        row = _columns(definition.domains, job_id, number, report)
        key = (report.source, report.step_to)
        if key in seen and all(seen[key][name] == row[name] for name in _COMPARED):
            duplicates += 1
            continue
        _check_order(definition, number, report, known)
        if key in seen:
            raise ConflictError(
                f"reports.{number}: source {report.source!r} reported step {report.step_to} of attempt "
                f"{attempt} with other values: the first report stands. Open an attempt for steps that are "
                "made again",
                code="other_report",
                extra={side: {name: values[name] for name in _COMPARED} for side, values in
                       (("stored", seen[key]), ("offered", row))},
            )  # fmt: skip
        seen[key] = row
        rows.append({**row, "late": report.step_to <= head.applied_step})
        warnings += (f"reports.{number}: {oddity}" for oddity in oddities(definition, row))
    fresh = [measured(row) for row in rows if not row["late"]]
    before = head
    head, placed, what, events = _folded(definition, head, [*known.waiting, *fresh], known.weights_of)
    for row in rows:
        row["applied_seq"] = placed.get((row["source"], row["step_to"]))
    late = sum(row["late"] for row in rows)
    return Plan(before, rows, placed, head, what, events, duplicates, late, warnings[:_MOST_WARNINGS])


def _folded(
    definition: JobDefinition, head: Head, waiting: Sequence[Measured], weights_of: WeightsOf
) -> tuple[Head, dict[tuple[str, int], int], Published | None, list[tuple[int, Event]]]:
    """Apply every report that is ready; publish once, from the last step that is known to be past."""
    reported = max([head.reported_step, *(report.step_to for report in waiting)])
    entries = ready(definition, waiting, after_seq=head.applied_seq, reported_step=reported)
    if not entries:
        return replace(head, reported_step=reported), {}, None, []
    before, state = head.applied_seq, head.state
    for entry in entries:
        state = folded(definition.steering, state, entry, weights_of)
    last = entries[-1]
    head = replace(
        head,
        applied_seq=last.seq,
        applied_step=last.reports[0].step_to,
        reported_step=reported,
        state=state,
    )
    events: list[tuple[int, Event]] = []
    if head.applied_seq // _SIZE_EVERY > before // _SIZE_EVERY:
        head, events = within_size(definition, head)
    known = max(reported, head.state.drawn)  # a trainer may draw far ahead of what it reports
    head, what = published(definition, head, known + definition.steering.lead)
    placed = {(report.source, report.step_to): entry.seq for entry in entries for report in entry.reports}
    return head, placed, what, events


def _check(definition: JobDefinition, attempt: int, number: int, report: ReportIn, known: Known) -> None:
    if report.attempt != attempt:
        fenced = report.attempt < attempt
        raise ConflictError(
            f"reports.{number}: attempt {report.attempt} "
            + (
                f"is fenced: attempt {attempt} is open now. Stop this trainer"
                if fenced
                else f"was never opened, {attempt} is the last one: open it before you report for it"
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
            f"reports.{number}: step_from {report.step_from} is after step_to {report.step_to}: a report "
            "covers the steps from the first to the second"
        )
    if report.schedule_version not in known.weights_of:
        raise InvalidRequestError(
            f"reports.{number}: schedule_version {report.schedule_version} was never published: send the "
            "version of the stage that the tokens were drawn with",
            code="unknown_version",
        )


def _check_order(definition: JobDefinition, number: int, report: ReportIn, known: Known) -> None:
    """Refuse what a trainer sends that went back to a checkpoint without saying so."""
    last = known.last_of.get(report.source, -1)
    if report.step_to + may_go_back(definition) < last:
        raise ConflictError(
            f"reports.{number}: source {report.source!r} has reported step {last} and comes with step "
            f"{report.step_to}: a trainer that goes back to a checkpoint opens an attempt first",
            code="attempt_required",
        )


def may_go_back(definition: JobDefinition) -> int:
    """Steps by which a source's reports may be out of order."""
    return max(REGRESS_STEPS, definition.wait_steps)


def _columns(domains: DomainSet, job_id: UUID, number: int, report: ReportIn) -> dict[str, Any]:
    """The columns of a report.

    Raises:
        InvalidRequestError: a domain is unknown, named twice, or null without being named in `non_finite`.
    """
    try:
        return _ordered(domains, job_id, number, report)
    except InvalidInputError as error:
        raise InvalidRequestError(f"reports.{number}: {error}", code=code_of(type(error))) from None


def _ordered(domains: DomainSet, job_id: UUID, number: int, report: ReportIn) -> dict[str, Any]:
    signals = report.signals
    check(domains, signals)
    counts = [int(count) for count in domains.to_array(report.token_counts, missing=0)]
    finite = {name: loss for name, loss in report.loss_sums.items() if loss is not None}
    losses = domains.to_array(finite, missing=math.nan).tolist()
    sums = [None if math.isnan(loss) else loss for loss in losses]
    non_finite = {domains.names[domains.index(name)] for name in report.non_finite}
    null = {domains.index(name) for name in report.loss_sums.keys() - finite.keys()}
    silent = [domains.names[at] for at in sorted(null) if counts[at] and domains.names[at] not in non_finite]
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
        "non_finite": sorted(non_finite),
        "signals": signals,
        "applied_seq": None,
        "taken_back": False,
    }
