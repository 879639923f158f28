"""Queries for sweeps."""

from uuid import UUID

from sqlalchemy import case, func, select
from sqlalchemy.orm import Session

from service.models import ProxyRun, RunState, Study, Sweep


def by_id(session: Session, project_id: UUID, sweep_id: UUID) -> tuple[Sweep, Study] | None:
    """A sweep with its study, if the project owns it."""
    row = session.execute(
        select(Sweep, Study)
        .join(Study, Study.id == Sweep.study_id)
        .where(Sweep.id == sweep_id, Study.project_id == project_id)
    ).first()
    return None if row is None else (row[0], row[1])


def page(session: Session, study_id: UUID, *, after: UUID | None, limit: int) -> list[Sweep]:
    """Sweeps of a study in order of creation, from after an id."""
    query = select(Sweep).where(Sweep.study_id == study_id).order_by(Sweep.id).limit(limit)
    return list(session.scalars(query if after is None else query.where(Sweep.id > after)))


def progress(session: Session, sweep_id: UUID) -> tuple[dict[str, int], float]:
    """Number of runs in each state, and the mean progress."""
    done = case((ProxyRun.state == RunState.COMPLETED, 1.0), else_=ProxyRun.progress)
    rows = session.execute(
        select(ProxyRun.state, func.count(), func.sum(done))
        .where(ProxyRun.sweep_id == sweep_id)
        .group_by(ProxyRun.state)
    ).all()
    total = sum(count for _, count, _ in rows)
    return {str(state): count for state, count, _ in rows}, sum(part for _, _, part in rows) / max(total, 1)
