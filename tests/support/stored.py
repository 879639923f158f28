"""What the database holds of a job, for tests that say what a request changed and what it did not."""

from typing import Any

from sqlalchemy import select

from service.jobs import service as jobs
from service.keys import repository as projects
from service.models import Base, Job, Report, ScheduleStage
from tests.support.servers import Service

_COUNTERS = {"duplicates", "last_report_at"}  # of what came, not of what it did


def steering_of(service: Service, name: str) -> dict[str, Any]:
    """Everything that steers a job: its head with the policy's state, its reports, its versions."""
    with service.database.session() as session:
        job = _job(service, name, session)
        reports = session.scalars(select(Report).where(Report.job_id == job.id).order_by(Report.step_to))
        stages = session.scalars(
            select(ScheduleStage).where(ScheduleStage.job_id == job.id).order_by(ScheduleStage.version)
        )
        return {
            "job": {key: value for key, value in _columns(job).items() if key not in _COUNTERS},
            "reports": [_columns(row) for row in reports],
            "stages": [_columns(row) for row in stages],
        }


def reports_of(service: Service, name: str) -> list[dict[str, Any]]:
    """The reports of a job, by step and source."""
    rows: list[dict[str, Any]] = steering_of(service, name)["reports"]
    return sorted(rows, key=lambda row: (row["attempt"], row["step_to"], row["source"]))


def _job(service: Service, name: str, session: Any) -> Job:
    owner = projects.project_named(session, service.project)
    assert owner is not None
    return jobs.get(session, owner.id, name)


def _columns(row: Base) -> dict[str, Any]:
    return {column.name: getattr(row, column.name) for column in row.__table__.columns}
