"""Queries for proxy runs."""

from collections.abc import Sequence
from datetime import timedelta
from typing import Any, NamedTuple
from uuid import UUID

from sqlalchemy import ARRAY, Select, Uuid, and_, any_, bindparam, func, or_, select, type_coerce, update
from sqlalchemy.dialects.postgresql import JSONB
from sqlalchemy.orm import Session, load_only
from sqlalchemy.types import NullType

from mixlaws.scales import NAMES
from service import pages_repository
from service.listing import Found, Wanted
from service.models import ProxyRun, RunState, Study, Sweep

_OWN = "put"  # what the definition of the sweep of clients' own runs says of them
Row = tuple[ProxyRun, Sweep, Study]


class Mixed(NamedTuple):
    """The mixture (d,) of a finished run, and of its result the scales alone."""

    id: UUID
    weights: list[float]
    result: dict[str, Any]


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


def by_client_id(session: Session, study_id: UUID, client_id: str) -> Row | None:
    """The run of a study that a client chose an id for."""
    query = (
        select(ProxyRun, Sweep, Study)
        .join(Sweep, Sweep.id == ProxyRun.sweep_id)
        .join(Study, Study.id == ProxyRun.study_id)
        .where(ProxyRun.study_id == study_id, ProxyRun.client_id == client_id)
    )
    row = session.execute(query).first()
    return None if row is None else (row[0], row[1], row[2])


def own_sweep(session: Session, study_id: UUID) -> Sweep:
    """The sweep that holds the runs which clients train themselves; its study is locked."""
    query = select(Sweep).where(Sweep.study_id == study_id, Sweep.definition["train"].has_key(_OWN)).limit(1)
    found = session.scalar(query)
    if found is None:
        definition = {"purpose": "proxy", "params": {}, "train": {_OWN: True}}
        found = Sweep(study_id=study_id, purpose="proxy", definition=definition)
        session.add(found)
        session.flush()
    return found


def open_runs(
    session: Session,
    project_id: UUID,
    _worker: str,
    *,
    study: str | None,
    corpora: Sequence[str] | None,
    limit: int,
    without: Sequence[UUID],
) -> list[ProxyRun]:
    """Lock the oldest runs that wait, or whose lease has expired.

    Rows that another worker is claiming at this moment are skipped, not waited for.
    """
    expired = and_(ProxyRun.state == RunState.RUNNING, ProxyRun.lease_expires_at < func.now())
    query = _claimable(project_id, study, corpora, limit, without)
    return list(session.scalars(query.where(or_(ProxyRun.state == RunState.PENDING, expired))))


def held(
    session: Session,
    project_id: UUID,
    worker: str,
    *,
    study: str | None,
    corpora: Sequence[str] | None,
    limit: int,
    without: Sequence[UUID],
) -> list[ProxyRun]:
    """Lock the oldest runs that a worker holds, or held until its lease expired."""
    query = _claimable(project_id, study, corpora, limit, without)
    return list(session.scalars(query.where(ProxyRun.state == RunState.RUNNING, ProxyRun.worker == worker)))


def lease_until(session: Session, runs: Sequence[ProxyRun], seconds: int) -> None:
    """Set the end of leases by the database's clock, which does not jump between workers."""
    session.execute(
        update(ProxyRun)
        .where(ProxyRun.id.in_([run.id for run in runs]))
        .values(lease_expires_at=func.now() + timedelta(seconds=seconds))
        .execution_options(synchronize_session=False)
    )
    for run in runs:
        session.expire(run, ["lease_expires_at"])


def cancel_open(session: Session, sweep_id: UUID, reason: str) -> None:
    """Cancel all runs of a sweep that are not finished."""
    session.execute(
        update(ProxyRun)
        .where(ProxyRun.sweep_id == sweep_id, ProxyRun.state.in_([RunState.PENDING, RunState.RUNNING]))
        .values(state=RunState.CANCELLED, error=reason, finished_at=func.now())
    )


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
    # What a fit looks at: there may be ten thousand of them.
    query = select(ProxyRun).options(load_only(ProxyRun.weights, ProxyRun.seed, ProxyRun.result))
    return list(session.scalars(_completed(query, study_id, sweep_ids)))


def mixed(session: Session, study_id: UUID, *, sweep_ids: Sequence[UUID] | None) -> list[Mixed]:
    """The same runs without what takes long to read: their losses."""
    scales = [part for name in NAMES for part in (name, ProxyRun.result[name])]
    # As the driver reads them: to look at every share once more takes four times as long.
    weights = type_coerce(ProxyRun.weights, NullType())
    query = select(ProxyRun.id, weights, func.jsonb_build_object(*scales, type_=JSONB))
    return [Mixed(*row) for row in session.execute(_completed(query, study_id, sweep_ids))]


def _completed(
    query: Select[*tuple[Any, ...]], study_id: UUID, sweep_ids: Sequence[UUID] | None
) -> Select[*tuple[Any, ...]]:
    query = query.join(Sweep, Sweep.id == ProxyRun.sweep_id).order_by(ProxyRun.id)
    query = query.where(ProxyRun.study_id == study_id, ProxyRun.state == RunState.COMPLETED)
    return query.where(Sweep.id.in_(sweep_ids) if sweep_ids is not None else Sweep.purpose == "proxy")


def labels(session: Session, run_ids: Sequence[UUID]) -> list[str]:
    """What runs are called, in the given order."""
    # One array and not a parameter for each: there may be ten thousand.
    wanted = bindparam("wanted", list(run_ids), ARRAY(Uuid))
    rows = session.execute(select(ProxyRun.id, ProxyRun.label).where(ProxyRun.id == any_(wanted)))
    names = {row[0]: row[1] for row in rows}
    return [names.get(run_id, "") for run_id in run_ids]


def _claimable(
    project_id: UUID, study: str | None, corpora: Sequence[str] | None, limit: int, without: Sequence[UUID]
) -> Select[ProxyRun]:
    query = (
        select(ProxyRun)
        .join(Study, Study.id == ProxyRun.study_id)
        .where(Study.project_id == project_id)
        .order_by(ProxyRun.id)
        .limit(limit)
        .with_for_update(of=ProxyRun, skip_locked=True)
    )
    if without:
        query = query.where(ProxyRun.id.not_in(without))
    if study is not None:
        # As a value of the run's own index: a joined name would be looked up for the runs of every study.
        named = select(Study.id).where(Study.project_id == project_id, Study.name == study)
        query = query.where(ProxyRun.study_id == named.scalar_subquery())
    if corpora is not None:
        query = query.where(ProxyRun.train["corpus"].astext.in_(["", *corpora]))
    return query
