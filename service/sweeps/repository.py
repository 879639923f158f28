"""Queries for sweeps."""

from collections.abc import Sequence
from uuid import UUID

from sqlalchemy import and_, case, func, or_, select, update
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


def pace(session: Session, sweep_id: UUID) -> tuple[int, int, float, float | None]:
    """Runs that wait, runs in training and what is left of these, and the mean seconds of a completed run.

    A run whose lease has expired waits. Runs that were not trained here have no time.
    """
    running, pending = ProxyRun.state == RunState.RUNNING, ProxyRun.state == RunState.PENDING
    expired = func.coalesce(ProxyRun.lease_expires_at < func.now(), False)
    took = func.extract("epoch", ProxyRun.finished_at - ProxyRun.started_at)
    row = session.execute(
        select(
            func.count().filter(or_(pending, and_(running, expired))),
            func.count().filter(running, ~expired),
            func.coalesce(func.sum(1 - ProxyRun.progress).filter(running, ~expired), 0.0),
            func.avg(took).filter(ProxyRun.state == RunState.COMPLETED),
        ).where(ProxyRun.sweep_id == sweep_id)
    ).one()
    return row[0], row[1], float(row[2]), None if row[3] is None else float(row[3])


def data_changed(session: Session, sweep_id: UUID) -> None:
    """Count a change of what the runs of a sweep measured, in the transaction that makes it."""
    query = update(Sweep).where(Sweep.id == sweep_id).values(data_version=Sweep.data_version + 1)
    session.execute(query.execution_options(synchronize_session=False))


def data_version(session: Session, study_id: UUID, sweep_ids: Sequence[UUID] | None) -> int:
    """How often the results of some sweeps have changed, or those of all proxy sweeps of a study."""
    query = select(func.coalesce(func.sum(Sweep.data_version), 0)).where(Sweep.study_id == study_id)
    query = query.where(Sweep.id.in_(sweep_ids) if sweep_ids is not None else Sweep.purpose == "proxy")
    return int(session.scalar(query) or 0)
