"""Queries for jobs, stages, reports and attempts."""

from collections.abc import Iterable, Sequence
from typing import Any
from uuid import UUID

from sqlalchemy import (
    ARRAY,
    BigInteger,
    ColumnElement,
    Uuid,
    any_,
    bindparam,
    cast,
    func,
    select,
    text,
    tuple_,
    update,
)
from sqlalchemy.dialects.postgresql import insert as insert_unless
from sqlalchemy.orm import Session, aliased

from mixlaws.steering.events import ORDERS, EventKind
from service import pages_repository
from service.ids import new_id
from service.listing import Found, Wanted
from service.models import Attempt, Job, JobEvent, Report, ScheduleStage

CHANNEL = "mixwright_schedule"
ReportKey = tuple[UUID, int, str, int]


def by_name(session: Session, project_id: UUID, name: str, *, lock: bool = False) -> Job | None:
    """The job of a name."""
    query = select(Job).where(Job.project_id == project_id, Job.name == name)
    return session.scalar(query.with_for_update() if lock else query)


def insert_or_get(session: Session, job: dict[str, Any]) -> tuple[Job, bool]:
    """The job of a project and name, and whether it is new: of two callers at once, one made it."""
    made = session.execute(
        insert_unless(Job)
        .values(id=new_id(), **job)
        .on_conflict_do_nothing(index_elements=["project_id", "name"])
        .returning(Job.id)
    ).first()
    query = select(Job).where(Job.project_id == job["project_id"], Job.name == job["name"])
    return session.scalars(query).one(), made is not None


def page(session: Session, project_id: UUID, wanted: Wanted[UUID]) -> Found[Job, UUID]:
    """Jobs of a project, newest first."""
    query = select(Job).where(Job.project_id == project_id)
    return pages_repository.page(session, query, Job.id, wanted, newest_first=True)


def of_study(session: Session, project_id: UUID, study: str, limit: int) -> list[Job]:
    """The newest jobs of a project that say that they belong to a study, newest first."""
    mine = Job.definition["study"].astext == study
    query = select(Job).where(Job.project_id == project_id, mine)
    return list(session.scalars(query.order_by(Job.id.desc()).limit(limit)))


def marks(session: Session, job_ids: Iterable[UUID]) -> dict[UUID, tuple[int, int]]:
    """Attempt and version of jobs: what a schedule changes with."""
    # One array and not a parameter for each: there may be more jobs than parameters.
    wanted = bindparam("wanted", list(job_ids), ARRAY(Uuid))
    query = select(Job.id, Job.attempt, Job.version).where(Job.id == any_(wanted))
    return {row.id: (row.attempt, row.version) for row in session.execute(query)}


def all_locked(session: Session) -> list[Job]:
    """Every job of every project, locked in the order of their ids; those that were deleted are left out."""
    query = select(Job).where(Job.project_id.is_not(None)).order_by(Job.id)
    return list(session.scalars(query.with_for_update()))


def stored_reports(session: Session, keys: Iterable[ReportKey]) -> dict[ReportKey, Report]:
    """Reports that are there already, by natural key."""
    columns = tuple_(Report.job_id, Report.attempt, Report.source, Report.step_to)
    rows = session.scalars(select(Report).where(columns.in_(list(keys))))
    return {(row.job_id, row.attempt, row.source, row.step_to): row for row in rows}


def waiting_reports(session: Session, jobs: Sequence[tuple[UUID, int]]) -> list[Report]:
    """Reports of the open attempts that wait for other sources."""
    query = select(Report).where(
        tuple_(Report.job_id, Report.attempt).in_(list(jobs)),
        Report.applied_seq.is_(None),
        Report.late.is_(False),
        Report.taken_back.is_(False),
    )
    return list(session.scalars(query))


def weights_of(session: Session, versions: Iterable[tuple[UUID, int]]) -> dict[tuple[UUID, int], list[float]]:
    """Weights of schedule versions."""
    columns = tuple_(ScheduleStage.job_id, ScheduleStage.version)
    query = select(ScheduleStage.job_id, ScheduleStage.version, ScheduleStage.weights)
    return {(row[0], row[1]): row[2] for row in session.execute(query.where(columns.in_(list(versions))))}


def stages_from(session: Session, job_id: UUID, step: int) -> list[ScheduleStage]:
    """The last stage in the plan that holds at a step, and all that follow, by steps.

    The plan's steps rise with its versions, so that the few newest rows are all that is read: a job has
    many thousands of versions, and its schedule is read after each new one.
    """
    past = aliased(ScheduleStage)
    in_force = (
        select(past.version)
        .where(past.job_id == job_id, *_in_plan(past), past.effective_step <= step)
        .order_by(past.version.desc())
        .limit(1)
        .scalar_subquery()
    )
    query = select(ScheduleStage).where(
        ScheduleStage.job_id == job_id,
        *_in_plan(ScheduleStage),
        ScheduleStage.version >= func.coalesce(in_force, 0),
    )
    return list(session.scalars(query.order_by(ScheduleStage.effective_step)))


def last_active(session: Session, job_ids: Sequence[UUID]) -> dict[UUID, ScheduleStage]:
    """The last stage in the plan of each job: for each of them one look at the end of the index."""
    stage = aliased(ScheduleStage)
    last = (
        select(stage.version)
        .where(stage.job_id == Job.id, *_in_plan(stage))
        .order_by(stage.version.desc())
        .limit(1)
        .lateral()
    )
    query = (
        select(ScheduleStage)
        .join(Job, Job.id == ScheduleStage.job_id)
        .join(last, last.c.version == ScheduleStage.version)
        .where(Job.id.in_(job_ids))
    )
    return {stage.job_id: stage for stage in session.scalars(query)}


def stages(
    session: Session, job_id: UUID, wanted: Wanted[int], *, newest_first: bool = False
) -> Found[ScheduleStage, int]:
    """Stages that were ever published, by version."""
    query = select(ScheduleStage).where(ScheduleStage.job_id == job_id)
    return pages_repository.page(session, query, ScheduleStage.version, wanted, newest_first=newest_first)


def stage(session: Session, job_id: UUID, version: int) -> ScheduleStage | None:
    """One version."""
    return session.get(ScheduleStage, (job_id, version))


def seq_before_step(session: Session, job_id: UUID, step: int) -> int:
    """Place in the fold after the last applied report that lies wholly before a step; 0 if there is none."""
    query = select(func.max(Report.applied_seq)).where(
        Report.job_id == job_id, Report.taken_back.is_(False), Report.step_to < step
    )
    return session.scalar(query) or 0


def last_step_of_seq(session: Session, job_id: UUID, seq: int) -> int:
    """Last step that was applied up to a place in the fold; -1 if there is none."""
    query = select(func.max(Report.step_to)).where(
        Report.job_id == job_id, Report.taken_back.is_(False), Report.applied_seq <= seq
    )
    found = session.scalar(query)
    return -1 if found is None else found


def take_back(session: Session, job_id: UUID, seq: int, step: int) -> None:
    """Mark what lies beyond a place in the fold, still waits, or came late of a step that is made again.

    What people ordered there stays: they did not restart anything. Stages from before that place, which what
    lies beyond it had put out of the plan, are in the plan again: the state of that place follows them.
    """
    apart = Report.applied_seq.is_(None) & (Report.late.is_(False) | (Report.step_to >= step))
    beyond = (Report.applied_seq > seq) | apart
    session.execute(update(Report).where(Report.job_id == job_id, beyond).values(taken_back=True))
    stages = update(ScheduleStage).where(ScheduleStage.job_id == job_id, ScheduleStage.applied_seq > seq)
    session.execute(stages.values(taken_back=True))
    events = update(JobEvent).where(
        JobEvent.job_id == job_id,
        JobEvent.seq > seq,
        JobEvent.kind.not_in(ORDERS),
        JobEvent.kind != EventKind.ATTEMPT,
    )
    session.execute(events.values(taken_back=True))
    _put_back(session, job_id, seq)


def supersede(session: Session, job_id: UUID, step: int, *, before: int) -> None:
    """Take stages out of the plan that would begin at a step or later, and are older than a version."""
    kept = aliased(ScheduleStage)
    last_kept = (
        select(kept.version)
        .where(kept.job_id == job_id, *_in_plan(kept), kept.effective_step < step, kept.version < before)
        .order_by(kept.version.desc())
        .limit(1)
        .scalar_subquery()
    )
    query = update(ScheduleStage).where(
        ScheduleStage.job_id == job_id,
        *_in_plan(ScheduleStage),
        ScheduleStage.version > func.coalesce(last_kept, 0),
        ScheduleStage.version < before,
        ScheduleStage.effective_step >= step,
    )
    session.execute(query.values(superseded=True))


def acknowledged(session: Session, job_ids: Sequence[UUID]) -> dict[UUID, tuple[int, int]]:
    """How many versions of each job were applied, and how many came too late, in all its attempts."""
    query = (
        select(Attempt.job_id, func.sum(Attempt.versions_applied), func.sum(Attempt.versions_too_late))
        .where(Attempt.job_id.in_(job_ids))
        .group_by(Attempt.job_id)
    )
    return {row[0]: (int(row[1]), int(row[2])) for row in session.execute(query)}


def attempts(session: Session, job_id: UUID) -> list[Attempt]:
    """All attempts of a job, in order."""
    return list(session.scalars(select(Attempt).where(Attempt.job_id == job_id).order_by(Attempt.number)))


def attempt(session: Session, job: Job) -> Attempt:
    """The open attempt of a job."""
    return session.get_one(Attempt, (job.id, job.attempt))


def announce(session: Session, job_ids: Iterable[UUID]) -> None:
    """Tell every process, at the moment of the commit, that these jobs have a new schedule."""
    jobs = list(job_ids)
    if jobs:
        query = text("SELECT pg_notify(:channel, job) FROM unnest(CAST(:jobs AS text[])) AS job")
        session.execute(query, {"channel": CHANNEL, "jobs": [str(job_id) for job_id in jobs]})
        remember_announced(session, jobs)


def remember_announced(session: Session, job_ids: Iterable[UUID]) -> None:
    """Tell this very process after the commit too: notifications take a moment."""
    session.info.setdefault("announced", set()).update(job_ids)


def _in_plan(stage: type[ScheduleStage]) -> tuple[ColumnElement[bool], ...]:
    return stage.too_late.is_(False), stage.superseded.is_(False), stage.taken_back.is_(False)


def _put_back(session: Session, job_id: UUID, seq: int) -> None:
    """Put stages into the plan again whose lateness or replacement was taken back with what lies beyond."""
    before = ScheduleStage.job_id == job_id, ScheduleStage.applied_seq <= seq
    late = select(cast(JobEvent.payload["effective_step"].astext, BigInteger)).where(
        JobEvent.job_id == job_id, JobEvent.seq > seq, JobEvent.kind == EventKind.TOO_LATE
    )
    too_late = update(ScheduleStage).where(*before, ScheduleStage.effective_step.in_(late))
    session.execute(too_late.values(too_late=False), execution_options={"synchronize_session": False})
    other = aliased(ScheduleStage)
    replacing = (
        select(other.version)
        .where(
            other.job_id == job_id,
            other.applied_seq > ScheduleStage.applied_seq,
            other.applied_seq <= seq,
            other.published_from <= ScheduleStage.effective_step,
            other.taken_back.is_(False),
        )
        .exists()
    )
    superseded = update(ScheduleStage).where(*before, ScheduleStage.superseded.is_(True), ~replacing)
    session.execute(superseded.values(superseded=False), execution_options={"synchronize_session": False})
