"""Queries for studies."""

from uuid import UUID

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from service.models import ProxyRun, Study


def by_name(session: Session, project_id: UUID, name: str) -> Study | None:
    """The study of a name."""
    return session.scalar(select(Study).where(Study.project_id == project_id, Study.name == name))


def of_project(session: Session, project_id: UUID) -> list[Study]:
    """All studies of a project, newest first."""
    return list(
        session.scalars(select(Study).where(Study.project_id == project_id).order_by(Study.id.desc()))
    )


def run_counts(session: Session, study_ids: list[UUID]) -> dict[UUID, dict[str, int]]:
    """Number of runs in each state, by study."""
    rows = session.execute(
        select(ProxyRun.study_id, ProxyRun.state, func.count())
        .where(ProxyRun.study_id.in_(study_ids))
        .group_by(ProxyRun.study_id, ProxyRun.state)
    )
    counts: dict[UUID, dict[str, int]] = {study_id: {} for study_id in study_ids}
    for study_id, state, count in rows:
        counts[study_id][str(state)] = count
    return counts
