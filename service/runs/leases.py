"""Leases: a run is in the hands of one worker at a time, for as long as that worker gives signs of life.

Every moment of a lease is one of the database's clock. Clocks of workers and of API processes have no say.
"""

import uuid
from uuid import UUID

from sqlalchemy.orm import Session

from service.clock_repository import now
from service.errors import ConflictError
from service.models import ProxyRun, RunState
from service.runs import observation_repository, repository, service
from service.runs.repository import Row
from service.runs.schemas import ClaimIn, HeartbeatIn, LeaseOut, TakeIn
from service.studies import service as studies

MOST_CLAIMS = 3  # a run that loses three workers is what kills them


def claim(
    session: Session, project_id: UUID, body: ClaimIn, lease_seconds: int, *, count: int = 1
) -> list[LeaseOut]:
    """Lease runs to a worker: first what it holds already, then the oldest open ones; fewer if there are few.

    A worker that asks for what it holds has crashed in between: it gets a new lease, and the old one is void.
    """
    runs: list[ProxyRun] = []
    for find in (repository.held, repository.open_runs):
        while len(runs) < count:
            found = find(
                session,
                project_id,
                body.worker,
                study=body.study,
                corpora=body.corpora,
                limit=count - len(runs),
                without=[run.id for run in runs],
            )
            if not found:
                break
            usable = [run for run in found if not _given_up(session, run)]
            _lease(session, usable, body.worker, lease_seconds)
            runs += usable
    return [_shown(session, project_id, run, lease_seconds) for run in runs]


def take(session: Session, project_id: UUID, run_id: UUID, body: TakeIn, lease_seconds: int) -> LeaseOut:
    """Lease one run to a worker; one that another worker holds only once its lease has expired, or by force.

    Raises:
        NotFoundError: the project has no such run.
        ConflictError: another worker holds it, it is finished, or its client trains it.
    """
    run, *_ = service.get(session, project_id, run_id, lock=True)
    check_open(run)
    if run.client_id is not None:
        raise ConflictError(
            f"run {run.client_id!r} is trained by the client that put it: no worker takes it",
            code="not_trainable",
        )
    expires = run.lease_expires_at
    held = run.state is RunState.RUNNING and expires is not None and expires >= now(session)
    if held and run.worker != body.worker and not body.force:
        raise ConflictError(
            f"{run.worker} holds run {run.id} until {expires}: wait until then, or take it by force",
            code="leased",
            extra={"holder": run.worker, "lease_expires_at": expires.isoformat() if expires else None},
        )
    _lease(session, [run], body.worker, lease_seconds)
    return _shown(session, project_id, run, lease_seconds)


def heartbeat(
    session: Session, project_id: UUID, run_id: UUID, body: HeartbeatIn, lease_seconds: int
) -> None:
    """Renew a lease.

    An expired lease that nobody else has claimed is renewed as well: the worker is alive after all.

    Raises:
        NotFoundError: the project has no such run.
        ConflictError: the run was finished, or claimed by another worker.
    """
    run, *_ = service.get(session, project_id, run_id, lock=True)
    check(run, body.lease)
    run.progress = body.progress
    session.flush()
    if run.lease is not None:
        repository.lease_until(session, [run], lease_seconds)


def check(run: ProxyRun, lease: UUID | None) -> None:
    """Check that whoever shows a lease may speak for a run; a client's own run has none.

    Raises:
        ConflictError: the run is finished, waits for a worker, or is another one's.
    """
    check_open(run)
    if run.state is RunState.PENDING:
        raise ConflictError(f"run {run.id} waits for a worker: claim it first", code="not_claimed")
    if run.lease != lease:
        raise ConflictError(
            f"the lease of run {run.id} was lost: {run.worker or 'nobody'} holds it now. Stop training it",
            code="lease_lost",
        )


def check_open(run: ProxyRun) -> None:
    """Check that a run is not finished.

    Raises:
        ConflictError: it is.
    """
    if run.state not in {RunState.PENDING, RunState.RUNNING}:
        raise ConflictError(
            f"run {run.id} is {run.state.value}: nothing more can be said of it",
            code="terminal",
            extra={"state": run.state.value},
        )


def _given_up(session: Session, run: ProxyRun) -> bool:
    if run.claims < MOST_CLAIMS:
        return False
    run.state = RunState.FAILED
    run.error = (
        f"given up: {run.claims} workers fell silent while they trained it, the last was {run.worker}. "
        "Requeue it once you know why"
    )
    run.finished_at = now(session)
    session.flush()
    return True


def _lease(session: Session, runs: list[ProxyRun], worker: str, seconds: int) -> None:
    # What an unfinished try observed goes: the next one measures the same steps anew.
    observation_repository.forget(session, [run.id for run in runs if run.claims])
    moment = now(session)
    for run in runs:
        run.state, run.worker, run.lease, run.progress = RunState.RUNNING, worker, uuid.uuid4(), 0.0
        run.claims += 1
        run.started_at, run.error = moment, None
    session.flush()
    repository.lease_until(session, runs, seconds)


def _shown(session: Session, project_id: UUID, run: ProxyRun, seconds: int) -> LeaseOut:
    row: Row = service.get(session, project_id, run.id)
    definition = studies.definition(row[2])
    return LeaseOut(
        run=service.shown(row, now(session)),
        domains=[domain.name for domain in definition.domains],
        targets=definition.targets or [],
        lease=run.lease,
        lease_seconds=seconds,
    )
