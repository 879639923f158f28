"""Queries for jobs, stages, reports and attempts."""

from collections.abc import Iterable, Sequence
from typing import Any
from uuid import UUID

from sqlalchemy import BigInteger, ColumnElement, cast, func, insert, select, text, tuple_, update
from sqlalchemy.dialects.postgresql import insert as insert_unless
from sqlalchemy.orm import Session, aliased

from mixlaws.steering.events import ORDERS, EventKind
from service.ids import new_id
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
        .values(id=new_id(), duplicates=0, **job)
        .on_conflict_do_nothing(index_elements=["project_id", "name"])
        .returning(Job.id)
    ).first()
    query = select(Job).where(Job.project_id == job["project_id"], Job.name == job["name"])
    return session.scalars(query).one(), made is not None


def of_project(session: Session, project_id: UUID) -> list[Job]:
    """All jobs of a project, newest first."""
    return list(session.scalars(select(Job).where(Job.project_id == project_id).order_by(Job.id.desc())))


def all_locked(session: Session) -> list[Job]:
    """Every job of every project, locked in the order of their ids."""
    return list(session.scalars(select(Job).order_by(Job.id).with_for_update()))


def locked(session: Session, wanted: Iterable[tuple[UUID, str]]) -> dict[tuple[UUID, str], Job]:
    """Jobs by project and name, locked in the order of their ids, so that two committers never cross."""
    query = (
        select(Job)
        .where(tuple_(Job.project_id, Job.name).in_(list(wanted)))
        .order_by(Job.id)
        .with_for_update()
    )
    return {(job.project_id, job.name): job for job in session.scalars(query)}


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


def active_stages(session: Session, job_id: UUID) -> list[ScheduleStage]:
    """Stages that are in the plan, by the step from which they hold."""
    query = select(ScheduleStage).where(ScheduleStage.job_id == job_id, *_in_plan(ScheduleStage))
    return list(session.scalars(query.order_by(ScheduleStage.effective_step)))


def stages_from(session: Session, job_id: UUID, step: int) -> list[ScheduleStage]:
    """The last stage in the plan that holds at a step, and all that follow, as `active_stages` gives them.

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


def stages(session: Session, job_id: UUID, *, newest: int | None = None) -> list[ScheduleStage]:
    """Every stage that was ever published, or the newest of them, by version."""
    query = select(ScheduleStage).where(ScheduleStage.job_id == job_id)
    rows = session.scalars(query.order_by(ScheduleStage.version.desc()).limit(newest))
    return list(rows)[::-1]


def stage(session: Session, job_id: UUID, version: int) -> ScheduleStage | None:
    """One version."""
    return session.get(ScheduleStage, (job_id, version))


def insert_reports(session: Session, rows: list[dict[str, Any]]) -> None:
    """Store new reports."""
    if rows:
        session.execute(insert(Report), rows)


def place_reports(session: Session, job_id: UUID, attempt: int, places: dict[tuple[str, int], int]) -> None:
    """Note where reports that had waited came into the fold."""
    for (source, step_to), seq in places.items():
        session.execute(
            update(Report)
            .where(
                Report.job_id == job_id,
                Report.attempt == attempt,
                Report.source == source,
                Report.step_to == step_to,
            )
            .values(applied_seq=seq)
        )


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


def supersede(session: Session, job_id: UUID, step: int) -> None:
    """Take stages out of the plan that would begin at a step or later: they are the newest of it."""
    before = aliased(ScheduleStage)
    last_kept = (
        select(before.version)
        .where(before.job_id == job_id, *_in_plan(before), before.effective_step < step)
        .order_by(before.version.desc())
        .limit(1)
        .scalar_subquery()
    )
    query = update(ScheduleStage).where(
        ScheduleStage.job_id == job_id,
        *_in_plan(ScheduleStage),
        ScheduleStage.version > func.coalesce(last_kept, 0),
        ScheduleStage.effective_step >= step,
    )
    session.execute(query.values(superseded=True))


def counts(session: Session, job_id: UUID) -> dict[str, int]:
    """Counters of a job."""
    versions = session.execute(
        select(
            func.count(),
            func.count(ScheduleStage.applied_at_step),
            func.count().filter(ScheduleStage.too_late.is_(True)),
        ).where(ScheduleStage.job_id == job_id, ScheduleStage.version > 1)
    ).one()
    reports = session.execute(
        select(func.count(), func.count().filter(Report.late.is_(True))).where(Report.job_id == job_id)
    ).one()
    return {
        "versions_published": versions[0],
        "versions_applied": versions[1],
        "versions_too_late": versions[2],
        "reports_accepted": reports[0],
        "reports_late": reports[1],
    }


def losses(session: Session, job_id: UUID) -> list[tuple[int, list[float | None], list[int]]]:
    """Step, summed losses and tokens of every report that still counts, by step."""
    query = select(Report.step_to, Report.loss_sums, Report.token_counts).where(
        Report.job_id == job_id, Report.taken_back.is_(False)
    )
    rows = session.execute(query.order_by(Report.step_to, Report.source))
    return [(row[0], row[1], row[2]) for row in rows]


def attempts(session: Session, job_id: UUID) -> list[Attempt]:
    """All attempts of a job, in order."""
    return list(session.scalars(select(Attempt).where(Attempt.job_id == job_id).order_by(Attempt.number)))


def announce(session: Session, job_ids: Iterable[UUID]) -> None:
    """Tell every process, at the moment of the commit, that these jobs have a new schedule.

    The session remembers them too: notifications take a moment, and this process should know at once.
    """
    jobs = [str(job_id) for job_id in job_ids]
    if jobs:
        query = text("SELECT pg_notify(:channel, job) FROM unnest(CAST(:jobs AS text[])) AS job")
        session.execute(query, {"channel": CHANNEL, "jobs": jobs})
        session.info.setdefault("announced", set()).update(UUID(job) for job in jobs)


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
