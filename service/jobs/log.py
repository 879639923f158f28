"""Reading a job's log: reports, events and publications by their places."""

from collections import defaultdict
from collections.abc import Mapping
from typing import Any
from uuid import UUID

from sqlalchemy.orm import Session

from mixlaws.steering.events import Event, EventKind
from service.jobs import log_repository
from service.jobs.definition import JobDefinition
from service.jobs.folding import Entry, Measured
from service.models import JobEvent, Report, ScheduleStage


def measured(row: Mapping[str, Any]) -> Measured:
    """A stored or new report, by columns, as the fold reads it."""
    return Measured(
        source=row["source"],
        step_from=row["step_from"],
        step_to=row["step_to"],
        schedule_version=row["schedule_version"],
        loss_sums=row["loss_sums"],
        token_counts=row["token_counts"],
        non_finite=row["non_finite"],
        signals=row["signals"],
    )


def entries(
    session: Session, job_id: UUID, *, after_seq: int, to_seq: int, taken_back: bool = False
) -> list[Entry]:
    """Entries of a stretch of the log, in their order.

    Args:
        session: where they are read.
        job_id: of the job.
        after_seq: the place before the stretch; -1 for the beginning, which is the first publication.
        to_seq: the last place of it.
        taken_back: whether what restarts took back is read too.
    """
    where: dict[str, Any] = {"after_seq": after_seq, "to_seq": to_seq, "taken_back": taken_back}
    reports: dict[int, list[Measured]] = defaultdict(list)
    for report in log_repository.stretch(session, Report, job_id, **where):
        reports[report.applied_seq or 0].append(measured(vars(report)))
    rows = log_repository.stretch(session, JobEvent, job_id, **where)
    events = {row.seq: Event(row.kind, row.payload) for row in rows}
    stages = log_repository.stretch(session, ScheduleStage, job_id, **where)
    published = {stage.applied_seq: stage.published_from for stage in stages}
    places = sorted({*reports, *events, *published})
    return [Entry(seq, _in_order(reports[seq]), events.get(seq), published.get(seq)) for seq in places]


def definitions(session: Session, job_id: UUID) -> dict[int, JobDefinition]:
    """A job in each of its attempts."""
    stored = log_repository.definitions(session, job_id)
    return {attempt: JobDefinition.stored(definition) for attempt, definition in stored.items()}


def attempt_starts(session: Session, job_id: UUID) -> list[tuple[int, int]]:
    """Place of each restart in the log, and the place that it went back to."""
    restarts = log_repository.events(session, job_id, [EventKind.ATTEMPT])
    return [(restart.seq, int(restart.payload["seq"])) for restart in restarts]


def _in_order(reports: list[Measured]) -> tuple[Measured, ...]:
    """Reports as they were added: by code points. A database may sort names in the order of a language."""
    return tuple(sorted(reports, key=lambda report: report.source))
