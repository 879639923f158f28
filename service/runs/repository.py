"""Queries for proxy runs."""

from collections.abc import Sequence
from datetime import datetime, timedelta
from uuid import UUID

from sqlalchemy import and_, func, or_, select, update
from sqlalchemy.orm import Session

from service import pages_repository
from service.listing import Found, Wanted
from service.models import Observation, ProxyRun, RunState, Study, Sweep

Row = tuple[ProxyRun, Sweep, Study]


def by_id(session: Session, project_id: UUID, run_id: UUID, *, lock: bool = False) -> Row | None:
    """A run with its sweep and study, if the project owns it."""
    query = (
        select(ProxyRun, Sweep, Study)
        .join(Sweep, Sweep.id == ProxyRun.sweep_id)
        .join(Study, Study.id == ProxyRun.study_id)
        .where(ProxyRun.id == run_id, Study.project_id == project_id)
    )
    if lock:
        query = query.with_for_update(of=ProxyRun)
    row = session.execute(query).first()
    return None if row is None else (row[0], row[1], row[2])


def claim(
    session: Session,
    project_id: UUID,
    *,
    study: str | None,
    corpora: Sequence[str] | None,
) -> ProxyRun | None:
    """Lock the oldest run that waits, or whose lease has expired; None if there is none.

    Rows that another worker is claiming at this moment are skipped, not waited for.
    """
    expired = and_(ProxyRun.state == RunState.RUNNING, ProxyRun.lease_expires_at < func.now())
    query = (
        select(ProxyRun)
        .join(Study, Study.id == ProxyRun.study_id)
        .where(Study.project_id == project_id, or_(ProxyRun.state == RunState.PENDING, expired))
        .order_by(ProxyRun.id)
        .limit(1)
        .with_for_update(of=ProxyRun, skip_locked=True)
    )
    if study is not None:
        query = query.where(Study.name == study)
    if corpora is not None:
        query = query.where(ProxyRun.train["corpus"].astext.in_(["", *corpora]))
    return session.scalar(query)


def lease_until(session: Session, run: ProxyRun, seconds: int) -> None:
    """Set the end of a lease by the database's clock, which does not jump between workers."""
    session.execute(
        update(ProxyRun)
        .where(ProxyRun.id == run.id)
        .values(lease_expires_at=func.now() + timedelta(seconds=seconds))
    )
    session.expire(run, ["lease_expires_at"])


def page(
    session: Session,
    study_id: UUID,
    wanted: Wanted[UUID],
    *,
    state: RunState | None = None,
    purpose: str | None = None,
) -> Found[tuple[ProxyRun, Sweep], UUID]:
    """Runs of a study in order of creation."""
    query = select(ProxyRun, Sweep).join(Sweep, Sweep.id == ProxyRun.sweep_id)
    query = query.where(ProxyRun.study_id == study_id)
    if state is not None:
        query = query.where(ProxyRun.state == state)
    if purpose is not None:
        query = query.where(Sweep.purpose == purpose)
    return pages_repository.page(session, query, ProxyRun.id, wanted)


def completed(session: Session, study_id: UUID, *, sweep_ids: Sequence[UUID] | None) -> list[ProxyRun]:
    """Completed runs of some sweeps, or of all proxy sweeps of a study."""
    query = (
        select(ProxyRun)
        .join(Sweep, Sweep.id == ProxyRun.sweep_id)
        .where(ProxyRun.study_id == study_id, ProxyRun.state == RunState.COMPLETED)
        .order_by(ProxyRun.id)
    )
    query = query.where(Sweep.id.in_(sweep_ids) if sweep_ids is not None else Sweep.purpose == "proxy")
    return list(session.scalars(query))


def final_values(session: Session, run_ids: Sequence[UUID]) -> dict[UUID, dict[str, float]]:
    """Values of the last observed step of every run, by target."""
    last = (
        select(Observation.run_id, func.max(Observation.step).label("step"))
        .where(Observation.run_id.in_(run_ids))
        .group_by(Observation.run_id)
        .subquery()
    )
    rows = session.execute(
        select(Observation.run_id, Observation.target, Observation.value).join(
            last, and_(last.c.run_id == Observation.run_id, last.c.step == Observation.step)
        )
    )
    values: dict[UUID, dict[str, float]] = {run_id: {} for run_id in run_ids}
    for run_id, target, value in rows:
        values[run_id][target] = value
    return values


def now(session: Session) -> datetime:
    """The database's clock."""
    moment: datetime = session.scalar(select(func.now()))  # type: ignore[assignment]
    return moment


def labels(session: Session, run_ids: Sequence[UUID]) -> list[str]:
    """What runs are called, in the given order."""
    rows = session.execute(select(ProxyRun.id, ProxyRun.label).where(ProxyRun.id.in_(run_ids)))
    names = {row[0]: row[1] for row in rows}
    return [names.get(run_id, "") for run_id in run_ids]
