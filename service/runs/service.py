"""Runs: claims and leases, results and failures."""

import uuid
from datetime import datetime
from uuid import UUID

from sqlalchemy.orm import Session

from mixlaws.swarm import target_coefficients
from service.errors import ConflictError, InvalidRequestError, NotFoundError
from service.models import Observation, ProxyRun, RunState, Study
from service.runs import repository
from service.runs.repository import Row
from service.runs.schemas import ClaimIn, FailureIn, HeartbeatIn, LeaseOut, ResultIn, RunOut
from service.studies import service as studies
from service.sweeps import repository as sweeps

MOST_CLAIMS = 3  # a run that loses three workers is what kills them


def claim(session: Session, project_id: UUID, body: ClaimIn, lease_seconds: int) -> LeaseOut | None:
    """Lease the oldest open run to a worker; None if there is none."""
    while True:
        run = repository.claim(session, project_id, study=body.study, corpora=body.corpora)
        if run is None:
            return None
        if run.claims < MOST_CLAIMS:
            break
        run.state = RunState.FAILED
        run.error = (
            f"given up: {run.claims} workers fell silent while they trained it, the last was {run.worker}"
        )
        run.finished_at = repository.now(session)
        session.flush()
    run.state = RunState.RUNNING
    run.worker, run.lease, run.progress = body.worker, uuid.uuid4(), 0.0
    run.claims += 1
    run.started_at = repository.now(session)
    session.flush()
    repository.lease_until(session, run, lease_seconds)
    row = _row(session, project_id, run.id)
    definition = studies.definition(row[2])
    return LeaseOut(
        run=shown(row, repository.now(session)),
        domains=[domain.name for domain in definition.domains],
        targets=definition.targets or [],
        lease=run.lease,
        lease_seconds=lease_seconds,
    )


def heartbeat(
    session: Session, project_id: UUID, run_id: UUID, body: HeartbeatIn, lease_seconds: int
) -> None:
    """Renew a lease.

    An expired lease that nobody else has claimed is renewed as well: the worker is alive after all.

    Raises:
        NotFoundError: the project has no such run.
        ConflictError: the run was finished, or claimed by another worker.
    """
    run, *_ = _row(session, project_id, run_id, lock=True)
    _check_lease(run, body.lease)
    run.progress = body.progress
    session.flush()
    repository.lease_until(session, run, lease_seconds)


def finish(session: Session, project_id: UUID, run_id: UUID, body: ResultIn) -> Row:
    """Store a result. The same result again changes nothing.

    Raises:
        NotFoundError: the project has no such run.
        ConflictError: it has another result, or the lease was lost.
        InvalidRequestError: a target is missing or unknown.
    """
    row = _row(session, project_id, run_id, lock=True)
    run, _, study = row
    result = body.model_dump(mode="json", exclude={"lease"})
    if run.state is RunState.COMPLETED:
        if run.result == result:
            return row
        raise ConflictError(
            f"run {run_id} has another result: the first one stands",
            code="other_result",
            extra={"stored": run.result, "offered": result},
        )
    _check_lease(run, body.lease)
    targets = studies.definition(study).targets or []
    missing, unknown = sorted(set(targets) - set(body.losses)), sorted(set(body.losses) - set(targets))
    if missing or unknown:
        raise InvalidRequestError(
            f"losses: no value for {missing}, unknown targets {unknown}: name each target once"
        )
    for target, value in body.losses.items():
        session.add(Observation(run_id=run.id, step=body.step, target=target, value=value))
    run.state, run.result, run.progress = RunState.COMPLETED, result, 1.0
    run.finished_at = repository.now(session)
    session.flush()
    sweeps.data_changed(session, run.sweep_id)
    return row


def fail(session: Session, project_id: UUID, run_id: UUID, body: FailureIn) -> Row:
    """Store why a run cannot be finished; saying it again changes nothing.

    Raises:
        NotFoundError: the project has no such run.
        ConflictError: the run was completed, or claimed by another worker.
    """
    row = _row(session, project_id, run_id, lock=True)
    run = row[0]
    if run.state is RunState.FAILED and run.lease == body.lease:
        return row
    _check_lease(run, body.lease)
    run.state, run.error = RunState.FAILED, body.reason
    run.finished_at = repository.now(session)
    session.flush()
    return row


def get(session: Session, project_id: UUID, run_id: UUID) -> Row:
    """A run.

    Raises:
        NotFoundError: the project has none of that id.
    """
    return _row(session, project_id, run_id)


def shown(row: Row, moment: datetime) -> RunOut:
    """A run as an answer, at a moment of the database's clock."""
    run, sweep, study = row
    expired = run.lease_expires_at is not None and run.lease_expires_at < moment
    domains = studies.domain_set(studies.definition(study))
    columns = {
        name: getattr(run, name)
        for name in (
            "id",
            "sweep_id",
            "label",
            "seed",
            "train",
            "job",
            "worker",
            "progress",
            "result",
            "error",
        )
    }
    moments = {name: getattr(run, name) for name in ("created_at", "started_at", "finished_at")}
    return RunOut(
        study=study.name,
        purpose=sweep.purpose,
        weights=domains.to_mapping(run.weights),
        state=run.state.value,
        stale=run.state is RunState.RUNNING and expired,
        **columns,
        **moments,
    )


def objective(study: Study, losses: dict[str, float]) -> float:
    """The study's objective of a run's losses."""
    definition = studies.definition(study)
    targets = definition.targets or []
    coefficients = target_coefficients(targets, definition.objective or {})
    return float(sum(c * losses[target] for c, target in zip(coefficients, targets, strict=True)))


def _row(session: Session, project_id: UUID, run_id: UUID, *, lock: bool = False) -> Row:
    row = repository.by_id(session, project_id, run_id, lock=lock)
    if row is None:
        raise NotFoundError(f"no run {run_id} in this project")
    return row


def _check_lease(run: ProxyRun, lease: UUID) -> None:
    if run.state in {RunState.COMPLETED, RunState.FAILED}:
        raise ConflictError(
            f"run {run.id} is {run.state.value}: nothing more can be said of it", code="run_finished"
        )
    if run.lease != lease:
        raise ConflictError(
            f"the lease of run {run.id} was lost: {run.worker or 'nobody'} holds it now. Stop training it",
            code="lease_lost",
        )
