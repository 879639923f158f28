"""Queries for what operators watch, over all projects: no answer names a project, a job or a key."""

from collections.abc import Sequence
from typing import Any

from sqlalchemy import ColumnElement, Float, String, cast, column, func, literal_column, select, table, text
from sqlalchemy.orm import Session

from service.models import Fit, Job, ScheduleStage

QUANTILES = (0.5, 0.99, 1.0)
_LIVE = "1 day"  # a job that has not reported for longer is over
_RECENT = "1 hour"
_tasks = table("procrastinate_jobs", column("id"), column("status"), column("task_name"))
_events = table("procrastinate_events", column("job_id"), column("type"), column("at"))


def hurry(session: Session, seconds: float) -> None:
    """Give the queries of this transaction so much time."""
    session.execute(text("SELECT set_config('statement_timeout', :most, true)"), {"most": f"{seconds}s"})


def live_jobs(session: Session) -> tuple[int, Sequence[float], Sequence[float]]:
    """How many jobs report, and quantiles of the seconds since their last report and their last version."""
    lag = func.extract("epoch", func.now() - Job.last_report_at)
    age = func.extract("epoch", func.now() - ScheduleStage.created_at)
    row = session.execute(
        select(func.count(), _quantiles(lag), _quantiles(age))
        .select_from(Job)
        .join(ScheduleStage, (ScheduleStage.job_id == Job.id) & (ScheduleStage.version == Job.version))
        .where(Job.last_report_at > func.now() - text(f"interval '{_LIVE}'"))
    ).one()
    return row[0], row[1] or (), row[2] or ()


def fit_seconds(session: Session) -> Sequence[float]:
    """Quantiles of the time from request to end of the fits that ended lately."""
    took = func.extract("epoch", Fit.finished_at - Fit.created_at)
    query = select(_quantiles(took)).where(Fit.finished_at > func.now() - text(f"interval '{_RECENT}'"))
    return session.scalar(query) or ()


def tasks(session: Session) -> list[tuple[str, str, int, float]]:
    """Kind and state of the tasks that are not done, with their number and the age of the oldest, seconds."""
    status = cast(_tasks.c.status, String)
    age = func.max(func.extract("epoch", func.now() - _events.c.at))
    rows = session.execute(
        select(_tasks.c.task_name, status, func.count(_tasks.c.id.distinct()), func.coalesce(age, 0.0))
        .join_from(
            _tasks,
            _events,
            (_events.c.job_id == _tasks.c.id) & (cast(_events.c.type, String) == "deferred"),
            isouter=True,
        )
        .where(status.in_(["todo", "doing"]))
        .group_by(_tasks.c.task_name, status)
    )
    return [(name, state, number, float(oldest)) for name, state, number, oldest in rows]


def _quantiles(value: ColumnElement[Any]) -> ColumnElement[Any]:
    which: ColumnElement[Any] = literal_column(f"ARRAY{list(QUANTILES)}::float[]")
    return func.percentile_disc(which).within_group(cast(value, Float))
