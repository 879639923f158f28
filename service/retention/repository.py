"""Queries of deletion: what is in use, what belongs to nobody, and rows in small parts."""

from collections.abc import Collection
from datetime import timedelta
from typing import Any
from uuid import UUID

from sqlalchemy import ColumnElement, delete, func, inspect, select, tuple_, update
from sqlalchemy.orm import Session

from service.models import Job, JobSnapshot, ProxyRun, Report, RunState, Study

RUNS_AT_ONCE = 200
ROWS_AT_ONCE = 5000  # some ten milliseconds: what waits for their locks hardly notices


def lock_study(session: Session, study_id: UUID) -> None:
    """Let nobody put anything into a study meanwhile."""
    session.execute(select(Study.id).where(Study.id == study_id).with_for_update())


def leased_runs(session: Session, study_id: UUID) -> int:
    """Number of runs of a study that a worker holds."""
    query = select(func.count()).where(
        ProxyRun.study_id == study_id,
        ProxyRun.state == RunState.RUNNING,
        ProxyRun.lease_expires_at >= func.now(),
    )
    return session.scalar(query) or 0


def reported_within(session: Session, job_id: UUID, seconds: int) -> bool:
    """Whether a job has reported within the last seconds."""
    recent = Job.last_report_at >= func.now() - timedelta(seconds=seconds)
    return session.scalar(select(Job.id).where(Job.id == job_id, recent)) is not None


def deleted(session: Session, table: type[Study] | type[Job]) -> list[UUID]:
    """Ids of deleted studies or jobs whose rows are still there."""
    return list(session.scalars(select(table.id).where(table.project_id.is_(None)).order_by(table.id)))


def some_runs(session: Session, study_id: UUID) -> list[UUID]:
    """Ids of some runs of a study."""
    return list(session.scalars(select(ProxyRun.id).where(ProxyRun.study_id == study_id).limit(RUNS_AT_ONCE)))


def remove_some(session: Session, table: type[Any], column: Any, ids: Collection[UUID]) -> int:
    """Remove some rows that belong to these ids; returns how many, 0 once none is left."""
    key = tuple_(*inspect(table).primary_key)
    some = select(*inspect(table).primary_key).where(column.in_(ids)).limit(ROWS_AT_ONCE)
    query = delete(table).where(key.in_(some)).execution_options(synchronize_session=False)
    return session.execute(query).rowcount  # type: ignore[attr-defined,no-any-return]


def long_ended(session: Session, days: int) -> list[UUID]:
    """Ids of jobs that ended more than so many days ago and still have reports or snapshots."""
    has_rows = [
        select(table.job_id).where(table.job_id == Job.id).exists() for table in (Report, JobSnapshot)
    ]
    before: ColumnElement[bool] = Job.ended_at < func.now() - timedelta(days=days)
    query = select(Job.id).where(Job.project_id.is_not(None), before, has_rows[0] | has_rows[1])
    return list(session.scalars(query.order_by(Job.id)))


def forget_some_reports(session: Session, job_id: UUID) -> int:
    """Drop some reports of a job, and count them with it; returns how many, 0 once none is left."""
    keys = [Report.attempt, Report.source, Report.step_to]
    some = select(*keys).where(Report.job_id == job_id).limit(ROWS_AT_ONCE)
    query = delete(Report).where(Report.job_id == job_id, tuple_(*keys).in_(some)).returning(Report.step_to)
    gone = len(session.scalars(query.execution_options(synchronize_session=False)).all())
    counted = update(Job).where(Job.id == job_id).values(reports_forgotten=Job.reports_forgotten + gone)
    session.execute(counted.execution_options(synchronize_session=False))
    return gone
