"""Queries for the log of a job: its entries, snapshots of states, expensive steps."""

from collections.abc import Collection, Mapping, Sequence
from typing import Any, TypeVar
from uuid import UUID

from sqlalchemy import delete, select
from sqlalchemy.dialects.postgresql import insert as insert_unless
from sqlalchemy.orm import Session

from mixlaws.steering.events import EventKind
from service.ids import new_id
from service.models import (
    Attempt,
    ExpensiveStep,
    Job,
    JobEvent,
    JobSnapshot,
    Report,
    ScheduleStage,
    TaskState,
)

Place = tuple[int, int] | None  # in the audit trail: a place in the log, and a version or 0 for an event
AFTER_VERSIONS = 2**31  # of one place, what is told beyond its versions: no version is so large
T = TypeVar("T", Report, JobEvent, ScheduleStage)
_ORDER: Mapping[type[Any], tuple[Any, ...]] = {
    Report: (Report.applied_seq, Report.source),
    JobEvent: (JobEvent.seq,),
    ScheduleStage: (ScheduleStage.applied_seq, ScheduleStage.version),
}


def stretch(
    session: Session, table: type[T], job_id: UUID, *, after_seq: int, to_seq: int, taken_back: bool
) -> list[T]:
    """Rows of a stretch of the log, by place; with or without what restarts took back."""
    order = _ORDER[table]
    query = select(table).where(table.job_id == job_id, order[0] > after_seq, order[0] <= to_seq)
    if not taken_back:
        query = query.where(table.taken_back.is_(False))
    return list(session.scalars(query.order_by(*order)))


def weights_of_all(session: Session, job_id: UUID) -> dict[int, list[float]]:
    """Weights of every version of a job."""
    query = select(ScheduleStage.version, ScheduleStage.weights).where(ScheduleStage.job_id == job_id)
    return {row[0]: row[1] for row in session.execute(query)}


def definitions(session: Session, job_id: UUID) -> dict[int, dict[str, Any]]:
    """The definition of a job in each of its attempts."""
    query = select(Attempt.number, Attempt.definition).where(Attempt.job_id == job_id)
    return {row[0]: row[1] for row in session.execute(query.order_by(Attempt.number))}


def events(session: Session, job_id: UUID, kinds: Collection[EventKind] = tuple(EventKind)) -> list[JobEvent]:
    """Events of a job of some kinds, by place."""
    query = select(JobEvent).where(JobEvent.job_id == job_id, JobEvent.kind.in_(kinds))
    return list(session.scalars(query.order_by(JobEvent.seq)))


def newest_events(session: Session, job_id: UUID, before: Place, limit: int) -> Sequence[JobEvent]:
    """The newest events before an entry of the audit trail, newest first."""
    query = select(JobEvent).where(JobEvent.job_id == job_id)
    if before is not None:
        # Of one place, an event lies before the versions that it led to.
        query = query.where(JobEvent.seq < before[0] + (before[1] > 0))
    return session.scalars(query.order_by(JobEvent.seq.desc()).limit(limit)).all()


def newest_stages(session: Session, job_id: UUID, before: Place, limit: int) -> Sequence[ScheduleStage]:
    """The newest versions before an entry of the audit trail, newest first."""
    query = select(ScheduleStage).where(ScheduleStage.job_id == job_id)
    if before is not None:
        seq, version = before
        if version >= AFTER_VERSIONS:
            query = query.where(ScheduleStage.applied_seq <= seq)
        elif version > 0:  # versions rise with places
            query = query.where(ScheduleStage.version < version)
        else:
            query = query.where(ScheduleStage.applied_seq < seq)
    return session.scalars(query.order_by(ScheduleStage.version.desc()).limit(limit)).all()


def actors(session: Session, job_id: UUID, seqs: Collection[int]) -> dict[int, str]:
    """Who brought about the events of some places in the log."""
    query = select(JobEvent.seq, JobEvent.actor).where(JobEvent.job_id == job_id, JobEvent.seq.in_(seqs))
    return {row[0]: row[1] for row in session.execute(query)}


def snapshot_at(session: Session, job_id: UUID, seq: int) -> JobSnapshot | None:
    """The newest snapshot that is not newer than a place in the log."""
    query = select(JobSnapshot).where(JobSnapshot.job_id == job_id, JobSnapshot.seq <= seq)
    return session.scalars(query.order_by(JobSnapshot.seq.desc()).limit(1)).first()


def keep_snapshot(session: Session, snapshot: dict[str, Any]) -> None:
    """Store a snapshot, unless there is one of that place."""
    session.execute(insert_unless(JobSnapshot).values(**snapshot).on_conflict_do_nothing())


def forget_snapshots(session: Session, job_id: UUID, after_seq: int) -> None:
    """Drop the snapshots beyond a place in the log."""
    session.execute(delete(JobSnapshot).where(JobSnapshot.job_id == job_id, JobSnapshot.seq > after_seq))


def ask_for_step(session: Session, job_id: UUID, attempt: int, step_from: int, step_to: int) -> UUID | None:
    """The row of an expensive step; None if it was asked for before."""
    values = {
        "id": new_id(), "job_id": job_id, "attempt": attempt, "step_from": step_from,
        "step_to": step_to, "state": TaskState.QUEUED,
    }  # fmt: skip
    query = insert_unless(ExpensiveStep).values(**values).on_conflict_do_nothing().returning(ExpensiveStep.id)
    return session.scalar(query)


def forget_finished_steps(session: Session, job: Job) -> None:
    """Let the expensive steps of a job's attempt that are over be asked for again."""
    over = ExpensiveStep.state.in_([TaskState.DONE, TaskState.FAILED])
    where = ExpensiveStep.job_id == job.id, ExpensiveStep.attempt == job.attempt, over
    session.execute(delete(ExpensiveStep).where(*where))


def locked_step(session: Session, step_id: UUID) -> ExpensiveStep | None:
    """An expensive step as it is now, for whoever changes its state."""
    query = select(ExpensiveStep).where(ExpensiveStep.id == step_id).with_for_update()
    return session.scalar(query.execution_options(populate_existing=True))


def locked_job(session: Session, job_id: UUID) -> Job:
    """A job as it is now, for whoever enters something into its log."""
    query = select(Job).where(Job.id == job_id).with_for_update()
    return session.scalars(query.execution_options(populate_existing=True)).one()


def applied_reports(session: Session, job_id: UUID, step_from: int, step_to: int) -> Sequence[Report]:
    """Reports that the policy has seen and that still count, by their last steps."""
    query = select(Report).where(
        Report.job_id == job_id,
        Report.taken_back.is_(False),
        Report.applied_seq.is_not(None),
        Report.step_to >= step_from,
        Report.step_to <= step_to,
    )
    return session.scalars(query.order_by(Report.applied_seq, Report.source)).all()
