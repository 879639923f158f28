"""Queries for a look at many jobs at once, or along a whole one: what they read is bounded."""

from collections.abc import Iterable, Mapping, Sequence
from datetime import timedelta
from typing import Any
from uuid import UUID

from sqlalchemy import ARRAY, BigInteger, Select, Uuid, bindparam, func, select, true
from sqlalchemy.orm import Session

from service.models import Job, Report, ScheduleStage

Losses = tuple[int, list[float | None], list[int]]
_PULSE = (
    Job.attempt, Job.epoch, Job.version, Job.applied_seq, Job.reports, Job.reports_late, Job.duplicates,
    Job.reports_forgotten, Job.ended_at,
)  # fmt: skip
_MOST_SOURCES = 16  # of one place: their mean tells as much as that of hundreds


def heard(session: Session, project_id: UUID, limit: int) -> list[Job]:
    """Jobs of a project that were not ended, those first whose trainers were heard of last."""
    at = func.coalesce(Job.last_report_at, Job.created_at)
    return list(session.scalars(_live(project_id).order_by(at.desc()).limit(limit)))


def held(session: Session, project_id: UUID, limit: int) -> list[Job]:
    """Those whose weights are held, newest first."""
    query = _live(project_id).where(Job.state["hold"].astext.is_not(None))
    return list(session.scalars(query.order_by(Job.id.desc()).limit(limit)))


def silent(
    session: Session, project_id: UUID, *, since: timedelta, within: timedelta, limit: int
) -> list[Job]:
    """Those whose trainers were heard of, but not for some time, the last ones first."""
    at = Job.last_report_at
    query = _live(project_id).where(at < func.now() - since, at > func.now() - within)
    return list(session.scalars(query.order_by(at.desc()).limit(limit)))


def _live(project_id: UUID) -> Select[Job]:
    return select(Job).where(Job.project_id == project_id, Job.ended_at.is_(None))


def pulse(session: Session, project_id: UUID, name: str) -> str | None:
    """What differs whenever something was reported to a job or ordered; None without such a job."""
    row = session.execute(select(*_PULSE).where(Job.project_id == project_id, Job.name == name)).one_or_none()
    return None if row is None else _joined(row)


def pulse_of(job: Job) -> str:
    """The pulse of a job that was read."""
    return _joined(getattr(job, column.key) for column in _PULSE)


def losses_along(session: Session, jobs: Sequence[Job], points: int) -> dict[UUID, list[Losses]]:
    """Step, summed losses and tokens of reports at evenly spaced places of each job's log, by step.

    Args:
        session: where they are read.
        jobs: whose reports.
        points: most places of each job; one that no report came from tells nothing.
    """
    places = {job.id: _spaced(1, job.applied_seq, points) for job in jobs}
    place = _pairs(places)
    report = (
        select(Report.step_to, Report.source, Report.loss_sums, Report.token_counts)
        .where(
            Report.job_id == place.c.job_id,
            Report.applied_seq == place.c.number,
            Report.taken_back.is_(False),
        )
        .limit(_MOST_SOURCES)
        .lateral()
    )
    query = select(place.c.job_id, report.c.step_to, report.c.loss_sums, report.c.token_counts)
    found: dict[UUID, list[Losses]] = {job.id: [] for job in jobs}
    for job_id, step, sums, tokens in session.execute(
        query.select_from(place).join(report, true()).order_by(report.c.step_to, report.c.source)
    ):
        found[job_id].append((step, sums, tokens))
    return found


def stages_along(session: Session, jobs: Sequence[Job], points: int) -> dict[UUID, list[ScheduleStage]]:
    """Stages in the plan at evenly spaced versions of each job, the last one among them, by their steps."""
    places = {job.id: _spaced(1, job.version, points) for job in jobs}
    place = _pairs(places)
    stage = (
        select(ScheduleStage.version)
        .where(
            ScheduleStage.job_id == place.c.job_id,
            ScheduleStage.version <= place.c.number,
            ScheduleStage.too_late.is_(False),
            ScheduleStage.superseded.is_(False),
            ScheduleStage.taken_back.is_(False),
        )
        .order_by(ScheduleStage.version.desc())
        .limit(1)
        .lateral()
    )
    chosen = (
        select(place.c.job_id, stage.c.version).select_from(place).join(stage, true()).distinct().subquery()
    )
    query = select(ScheduleStage).join(
        chosen, (ScheduleStage.job_id == chosen.c.job_id) & (ScheduleStage.version == chosen.c.version)
    )
    found: dict[UUID, list[ScheduleStage]] = {job.id: [] for job in jobs}
    for row in session.scalars(query.order_by(ScheduleStage.effective_step)):
        found[row.job_id].append(row)
    return found


def _joined(values: Iterable[Any]) -> str:
    return "-".join(str(value) for value in values)


def _spaced(first: int, last: int, points: int) -> list[int]:
    """At most so many whole numbers from one to another, evenly, both ends among them."""
    if last < first:
        return []
    gaps = min(points - 1, last - first)
    return [first + (last - first) * i // gaps for i in range(gaps + 1)] if gaps else [last]


def _pairs(places: Mapping[UUID, Sequence[int]]) -> Any:
    """Jobs with their places as rows: two arrays, however many there are."""
    pairs = [(job_id, number) for job_id, numbers in places.items() for number in numbers]
    jobs = bindparam("jobs", [job_id for job_id, _ in pairs], ARRAY(Uuid))
    numbers = bindparam("numbers", [number for _, number in pairs], ARRAY(BigInteger))
    return func.unnest(jobs, numbers).table_valued("job_id", "number").render_derived()
