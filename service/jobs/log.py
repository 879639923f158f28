"""Reading a job's log: reports, events and publications by their places."""

from collections import defaultdict
from collections.abc import Mapping
from typing import Any
from uuid import UUID

from sqlalchemy import select
from sqlalchemy.orm import Session

from mixlaws.steering.events import Event, EventKind
from service.jobs.definition import JobDefinition
from service.jobs.folding import Entry, Measured
from service.models import Attempt, JobEvent, Report, ScheduleStage


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
    reports: dict[int, list[Measured]] = defaultdict(list)
    for report in session.scalars(
        _stretch(Report, job_id, after_seq, to_seq, taken_back).order_by(Report.source)
    ):
        reports[report.applied_seq or 0].append(measured(vars(report)))
    events: dict[int, Event] = {}
    for row in session.scalars(_stretch(JobEvent, job_id, after_seq, to_seq, taken_back)):
        events[row.seq] = Event(row.kind, row.payload)
    published: dict[int, int] = {}
    for stage in session.scalars(_stretch(ScheduleStage, job_id, after_seq, to_seq, taken_back)):
        published[stage.applied_seq] = stage.published_from
    places = sorted({*reports, *events, *published})
    return [Entry(seq, tuple(reports.get(seq, ())), events.get(seq), published.get(seq)) for seq in places]


def weights_of(session: Session, job_id: UUID) -> dict[int, list[float]]:
    """Weights of every version of a job."""
    query = select(ScheduleStage.version, ScheduleStage.weights).where(ScheduleStage.job_id == job_id)
    return {row[0]: row[1] for row in session.execute(query)}


def definitions(session: Session, job_id: UUID) -> dict[int, JobDefinition]:
    """A job in each of its attempts."""
    query = select(Attempt.number, Attempt.definition).where(Attempt.job_id == job_id)
    return {row[0]: JobDefinition.stored(row[1]) for row in session.execute(query)}


def attempt_starts(session: Session, job_id: UUID) -> list[tuple[int, int]]:
    """Place of each restart in the log, and the place that it went back to."""
    query = select(JobEvent.seq, JobEvent.payload).where(
        JobEvent.job_id == job_id, JobEvent.kind == EventKind.ATTEMPT
    )
    return [(row[0], int(row[1]["seq"])) for row in session.execute(query.order_by(JobEvent.seq))]


def _stretch(table: Any, job_id: UUID, after_seq: int, to_seq: int, taken_back: bool) -> Any:
    place = table.seq if table is JobEvent else table.applied_seq
    query = select(table).where(table.job_id == job_id, place > after_seq, place <= to_seq)
    return query if taken_back else query.where(table.taken_back.is_(False))
