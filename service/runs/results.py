"""What becomes of a run in training: a result or a failure."""

from uuid import UUID

from sqlalchemy.orm import Session

from service.clock_repository import now
from service.errors import ConflictError, InvalidRequestError
from service.models import RunState
from service.runs import leases, observations, service
from service.runs.repository import Row
from service.runs.schemas import FailureIn, ObservationBody, ResultIn
from service.studies import service as studies
from service.sweeps import repository as sweeps


def finish(session: Session, project_id: UUID, run_id: UUID, body: ResultIn) -> Row:
    """Store a result. The same result again changes nothing.

    Raises:
        NotFoundError: the project has no such run.
        ConflictError: it has another result, the lease was lost, or what was observed at the last step
            differs.
        InvalidRequestError: a target is missing or unknown.
    """
    row = service.get(session, project_id, run_id, lock=True)
    run, _, study = row
    result = body.model_dump(mode="json", exclude={"lease"})
    if run.state is RunState.COMPLETED:
        if run.result == result:
            return row
        raise ConflictError(
            f"run {run_id} has another result: the first one stands. Invalidate the run if that one is wrong",
            code="other_result",
            extra={"stored": run.result, "offered": result},
        )
    leases.check(run, body.lease)
    targets = studies.definition(study).targets or []
    missing, unknown = sorted(set(targets) - set(body.losses)), sorted(set(body.losses) - set(targets))
    if missing or unknown:
        raise InvalidRequestError(
            f"losses: no value for {missing}, unknown targets {unknown}: name each target once"
        )
    last = [
        ObservationBody(step=body.step, target=target, value=value) for target, value in body.losses.items()
    ]
    observations.write(session, run, last)
    run.state, run.result, run.progress = RunState.COMPLETED, result, 1.0
    run.finished_at = now(session)
    session.flush()
    sweeps.data_changed(session, run.sweep_id)
    return row


def fail(session: Session, project_id: UUID, run_id: UUID, body: FailureIn) -> Row:
    """Store why a run cannot be finished; saying it again changes nothing.

    Raises:
        NotFoundError: the project has no such run.
        ConflictError: the run was completed, or claimed by another worker.
    """
    row = service.get(session, project_id, run_id, lock=True)
    run = row[0]
    if run.state is RunState.FAILED and run.lease == body.lease:
        return row
    leases.check(run, body.lease)
    run.state, run.error = RunState.FAILED, body.reason
    run.finished_at = now(session)
    session.flush()
    return row
