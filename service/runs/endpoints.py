"""Endpoints of proxy runs."""

from typing import Annotated, Literal
from uuid import UUID

from fastapi import APIRouter, Query, Request, Response, status

from service.db import SessionDep
from service.errors import ConflictError, InvalidRequestError, NotFoundError
from service.models import RunState
from service.problem_details import errors
from service.runs import repository, service
from service.runs.schemas import (
    ClaimIn,
    ClaimOneIn,
    FailureIn,
    HeartbeatIn,
    HeartbeatOut,
    LeaseOut,
    ResultIn,
    RunId,
    RunOut,
)
from service.schemas import Page
from service.scopes import Principal, Scope, needs
from service.studies import service as studies
from service.studies.schemas import StudyName

router = APIRouter(prefix="/v1", tags=["runs"])


@router.post(
    "/runs/claim",
    response_model=LeaseOut,
    responses={204: {"description": "Nothing to train now: ask again later."}},
)
def claim_run(
    body: ClaimIn, request: Request, session: SessionDep, caller: Annotated[Principal, needs(Scope.RUNS_WORK)]
) -> LeaseOut | Response:
    """Lease the oldest run that waits, or whose worker fell silent."""
    lease = service.claim(session, caller.project_id, body, request.app.state.settings.lease_seconds)
    return lease if lease is not None else Response(status_code=status.HTTP_204_NO_CONTENT)


@router.post("/runs/{run_id}/claim", responses=errors(NotFoundError, ConflictError))
def claim_one_run(
    run_id: RunId,
    body: ClaimOneIn,
    request: Request,
    session: SessionDep,
    caller: Annotated[Principal, needs(Scope.RUNS_WORK)],
) -> LeaseOut:
    """Lease one run: 409 names the worker that holds it, until its lease is over or you use force."""
    seconds: int = request.app.state.settings.lease_seconds
    return service.claim_one(session, caller.project_id, run_id, body, seconds)


@router.put("/runs/{run_id}/heartbeat", responses=errors(NotFoundError, ConflictError))
def put_heartbeat(
    run_id: RunId,
    body: HeartbeatIn,
    request: Request,
    session: SessionDep,
    caller: Annotated[Principal, needs(Scope.RUNS_WORK)],
) -> HeartbeatOut:
    """Renew a lease; 409 tells the worker to stop."""
    seconds: int = request.app.state.settings.lease_seconds
    service.heartbeat(session, caller.project_id, run_id, body, seconds)
    return HeartbeatOut(lease_seconds=seconds)


@router.put("/runs/{run_id}/result", responses=errors(NotFoundError, ConflictError, InvalidRequestError))
def put_result(
    run_id: RunId, body: ResultIn, session: SessionDep, caller: Annotated[Principal, needs(Scope.RUNS_WORK)]
) -> RunOut:
    """Store what a run measured. The same again answers 200; another result answers 409 with both."""
    return service.shown(service.finish(session, caller.project_id, run_id, body), repository.now(session))


@router.put("/runs/{run_id}/failure", responses=errors(NotFoundError, ConflictError))
def put_failure(
    run_id: RunId, body: FailureIn, session: SessionDep, caller: Annotated[Principal, needs(Scope.RUNS_WORK)]
) -> RunOut:
    """Say that a run cannot be finished."""
    return service.shown(service.fail(session, caller.project_id, run_id, body), repository.now(session))


@router.get("/runs/{run_id}", responses=errors(NotFoundError))
def get_run(
    run_id: RunId, session: SessionDep, caller: Annotated[Principal, needs(Scope.STUDIES_READ)]
) -> RunOut:
    """One run."""
    return service.shown(service.get(session, caller.project_id, run_id), repository.now(session))


@router.get("/studies/{study}/runs", responses=errors(NotFoundError, InvalidRequestError))
def list_runs(
    study: StudyName,
    session: SessionDep,
    caller: Annotated[Principal, needs(Scope.STUDIES_READ)],
    state: Annotated[RunState | None, Query(description="Only runs in this state.")] = None,
    purpose: Annotated[
        Literal["proxy", "confirmation"] | None, Query(description="Only runs of such sweeps.")
    ] = None,
    limit: Annotated[int, Query(ge=1, le=1000, description="Most items of the page.")] = 100,
    cursor: Annotated[UUID | None, Query(description="`next` of the page before.")] = None,
) -> Page[RunOut]:
    """Runs of a study, in order of creation."""
    owner = studies.get(session, caller.project_id, study)
    rows = repository.page(session, owner.id, after=cursor, limit=limit + 1, state=state, purpose=purpose)
    moment = repository.now(session)
    items = [service.shown((run, sweep, owner), moment) for run, sweep in rows[:limit]]
    return Page(items=items, next=str(items[-1].id) if len(rows) > limit else None)
