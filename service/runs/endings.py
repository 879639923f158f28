"""How runs end otherwise than by a result or a failure, and how one begins again."""

from uuid import UUID

from sqlalchemy.orm import Session

from service.clock_repository import now
from service.errors import ConflictError
from service.models import RunState
from service.runs import leases, observation_repository, service
from service.runs.repository import Row
from service.sweeps import repository as sweeps


def cancel(session: Session, project_id: UUID, run_id: UUID, reason: str) -> Row:
    """Take a run out that is not finished; a worker that trains it is told with its next sign of life.

    Cancelling it again changes nothing.

    Raises:
        NotFoundError: the project has no such run.
        ConflictError: the run is finished.
    """
    row = service.get(session, project_id, run_id, lock=True)
    run = row[0]
    if run.state is RunState.CANCELLED:
        return row
    leases.check_open(run)
    run.state, run.error, run.finished_at = RunState.CANCELLED, reason, now(session)
    session.flush()
    return row


def invalidate(session: Session, project_id: UUID, run_id: UUID, reason: str) -> Row:
    """Take a completed run out of the swarm; its result stays to be seen. Doing so again changes nothing.

    Raises:
        NotFoundError: the project has no such run.
        ConflictError: the run is not completed.
    """
    row = service.get(session, project_id, run_id, lock=True)
    run = row[0]
    if run.state is RunState.INVALID:
        return row
    if run.state is not RunState.COMPLETED:
        raise ConflictError(
            f"run {run.id} is {run.state.value}: only a completed run is in the swarm. Cancel one that is "
            "not finished",
            code="not_completed",
        )
    run.state, run.error = RunState.INVALID, reason
    session.flush()
    sweeps.data_changed(session, run.sweep_id)
    return row


def requeue(session: Session, project_id: UUID, run_id: UUID) -> Row:
    """Let workers train a run again that failed, was given up, or was cancelled.

    What it observed until then goes. Requeuing a run that waits changes nothing.

    Raises:
        NotFoundError: the project has no such run.
        ConflictError: the run is in training or was completed, or its client trained it.
    """
    row = service.get(session, project_id, run_id, lock=True)
    run = row[0]
    if run.state is RunState.PENDING:
        return row
    if run.client_id is not None:
        raise ConflictError(
            f"run {run.client_id!r} was trained by its client, and no worker can train it again: put it "
            "under another id",
            code="not_trainable",
        )
    if run.state not in {RunState.FAILED, RunState.CANCELLED}:
        raise ConflictError(
            f"run {run.id} is {run.state.value}: only one that failed or was cancelled is queued again",
            code="not_failed",
        )
    observation_repository.forget(session, [run.id])
    run.state, run.claims, run.progress = RunState.PENDING, 0, 0.0
    run.worker = run.lease = run.lease_expires_at = run.started_at = run.finished_at = None
    session.flush()
    return row
