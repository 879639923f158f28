"""Queries for sweeps."""

from collections.abc import Sequence
from uuid import UUID

from sqlalchemy import case, func, select
from sqlalchemy.orm import Session

from service import pages_repository
from service.listing import Found, Wanted
from service.models import ProxyRun, RunState, Study, Sweep


def by_id(session: Session, project_id: UUID, sweep_id: UUID) -> tuple[Sweep, Study] | None:
    """A sweep with its study, if the project owns it."""
    row = session.execute(
        select(Sweep, Study)
        .join(Study, Study.id == Sweep.study_id)
        .where(Sweep.id == sweep_id, Study.project_id == project_id)
    ).first()
    return None if row is None else (row[0], row[1])


def page(session: Session, study_id: UUID, wanted: Wanted[UUID]) -> Found[Sweep, UUID]:
    """Sweeps of a study, newest first."""
    query = select(Sweep).where(Sweep.study_id == study_id)
    return pages_repository.page(session, query, Sweep.id, wanted, newest_first=True)


def progress(session: Session, sweep_ids: Sequence[UUID]) -> dict[UUID, tuple[dict[str, int], float]]:
    """Number of runs in each state and the mean progress, by sweep."""
    done = case((ProxyRun.state == RunState.COMPLETED, 1.0), else_=ProxyRun.progress)
    rows = session.execute(
        select(ProxyRun.sweep_id, ProxyRun.state, func.count(), func.sum(done))
        .where(ProxyRun.sweep_id.in_(sweep_ids))
        .group_by(ProxyRun.sweep_id, ProxyRun.state)
    )
    counts: dict[UUID, dict[str, int]] = {sweep_id: {} for sweep_id in sweep_ids}
    parts = dict.fromkeys(sweep_ids, 0.0)
    for sweep_id, state, count, part in rows:
        counts[sweep_id][str(state)] = count
        parts[sweep_id] += part
    return {each: (found, parts[each] / max(sum(found.values()), 1)) for each, found in counts.items()}
