"""Endpoints for whoever trains runs, and for people who take them out: claims, leases, results, ends."""

from collections.abc import Callable
from typing import Annotated
from uuid import UUID

from fastapi import APIRouter, Query, Request, Response, status
from sqlalchemy.orm import Session

from service.clock_repository import now
from service.db import SessionDep
from service.errors import (
    ConflictError,
    InvalidCursorError,
    InvalidRequestError,
    NotFoundError,
    TooLargeError,
)
from service.pages import PagingByNumberAndName
from service.problem_details import errors
from service.routes import Route
from service.runs import endings, leases, observations, results, service
from service.runs.repository import Row
from service.runs.schemas import (
    ClaimIn,
    ClaimsIn,
    FailureIn,
    HeartbeatIn,
    HeartbeatOut,
    LeaseOut,
    LeasesOut,
    ObservationPage,
    ObservationsIn,
    ObservationsOut,
    ResultIn,
    RunId,
    RunOut,
    TakeIn,
)
from service.schemas import EndIn, Text
from service.scopes import Principal, Scope, needs

router = APIRouter(prefix="/v1/runs", tags=["runs"], route_class=Route)
Worker = Annotated[Principal, needs(Scope.RUNS_WORK)]
Editor = Annotated[Principal, needs(Scope.STUDIES_WRITE)]


@router.post(
    "/claim",
    response_model=LeaseOut,
    responses={204: {"description": "Nothing to train now: ask again later."}},
)
def claim_run(body: ClaimIn, request: Request, session: SessionDep, caller: Worker) -> LeaseOut | Response:
    """Lease the run that you hold already, or else the oldest that waits, or whose worker fell silent.

    A worker that crashed gets its run back under a new lease; the old lease is void.
    """
    found = leases.claim(session, caller.project_id, body, _lease_seconds(request))
    return found[0] if found else Response(status_code=status.HTTP_204_NO_CONTENT)


@router.post("/claims")
def claim_runs(body: ClaimsIn, request: Request, session: SessionDep, caller: Worker) -> LeasesOut:
    """Lease several runs at once: those that you hold already, then the oldest open ones."""
    found = leases.claim(session, caller.project_id, body, _lease_seconds(request), count=body.count)
    return LeasesOut(leases=found)


@router.post("/{run_id}/claim", responses=errors(NotFoundError, ConflictError))
def take_run(run_id: RunId, body: TakeIn, request: Request, session: SessionDep, caller: Worker) -> LeaseOut:
    """Lease one run. While another worker holds it the answer is 409 with the holder, unless by force."""
    if body.force:
        caller.require(Scope.STUDIES_WRITE)
    return leases.take(session, caller.project_id, run_id, body, _lease_seconds(request))


@router.put("/{run_id}/heartbeat", responses=errors(NotFoundError, ConflictError))
def put_heartbeat(
    run_id: RunId, body: HeartbeatIn, request: Request, session: SessionDep, caller: Worker
) -> HeartbeatOut:
    """Renew a lease; 409 tells the worker to stop."""
    seconds = _lease_seconds(request)
    leases.heartbeat(session, caller.project_id, run_id, body, seconds)
    return HeartbeatOut(lease_seconds=seconds)


@router.post(
    "/{run_id}/observations",
    responses=errors(NotFoundError, ConflictError, TooLargeError, InvalidRequestError),
)
def post_observations(
    run_id: RunId, body: ObservationsIn, session: SessionDep, caller: Worker
) -> ObservationsOut:
    """Store values of targets at steps, all or nothing.

    The same value again is counted as a duplicate, in any state of the run; another value of the same target
    at the same step answers 409 with both.
    """
    return observations.store(session, caller.project_id, run_id, body)


@router.get(
    "/{run_id}/observations", responses=errors(NotFoundError, InvalidRequestError, InvalidCursorError)
)
def list_observations(
    run_id: RunId,
    session: SessionDep,
    caller: Annotated[Principal, needs(Scope.STUDIES_READ)],
    paging: PagingByNumberAndName,
    target: Annotated[Text | None, Query(description="Only those of this target.")] = None,
    points: Annotated[
        int | None,
        Query(ge=2, le=1000, description="Not a page but so many of each target, evenly over its steps."),
    ] = None,
) -> ObservationPage:
    """What a run observed, by step: page by page, or thinned to some points of each curve."""
    run = service.get(session, caller.project_id, run_id)[0]
    if points is not None:
        return observations.thinned(session, run, target=target, points=points)
    found, last = observations.page(session, run, paging.wanted, target=target)
    return found.model_copy(update={"next": paging.next(last)})


@router.put("/{run_id}/result", responses=errors(NotFoundError, ConflictError, InvalidRequestError))
def put_result(run_id: RunId, body: ResultIn, session: SessionDep, caller: Worker) -> RunOut:
    """Store what a run measured. The same again answers 200; another result answers 409 with both."""
    return _shown(session, results.finish(session, caller.project_id, run_id, body))


@router.put("/{run_id}/failure", responses=errors(NotFoundError, ConflictError))
def put_failure(run_id: RunId, body: FailureIn, session: SessionDep, caller: Worker) -> RunOut:
    """Say that a run cannot be finished."""
    return _shown(session, results.fail(session, caller.project_id, run_id, body))


@router.post("/{run_id}/cancel", responses=errors(NotFoundError, ConflictError))
def cancel_run(run_id: RunId, body: EndIn, session: SessionDep, caller: Editor) -> RunOut:
    """Take out a run that is not finished; its worker is told to stop with its next heartbeat."""
    return _ended(session, caller, run_id, body, endings.cancel)


@router.post("/{run_id}/invalidate", responses=errors(NotFoundError, ConflictError))
def invalidate_run(run_id: RunId, body: EndIn, session: SessionDep, caller: Editor) -> RunOut:
    """Take a completed run out of the swarm: fits that saw it are stale from then on."""
    return _ended(session, caller, run_id, body, endings.invalidate)


@router.post("/{run_id}/requeue", responses=errors(NotFoundError, ConflictError))
def requeue_run(run_id: RunId, session: SessionDep, caller: Editor) -> RunOut:
    """Let workers train a run again that failed, lost too many workers, or was cancelled."""
    return _shown(session, endings.requeue(session, caller.project_id, run_id))


def _ended(
    session: Session,
    caller: Principal,
    run_id: UUID,
    body: EndIn,
    end: Callable[[Session, UUID, UUID, str], Row],
) -> RunOut:
    return _shown(session, end(session, caller.project_id, run_id, body.reason))


def _shown(session: Session, row: Row) -> RunOut:
    return service.shown(row, now(session))


def _lease_seconds(request: Request) -> int:
    seconds: int = request.app.state.settings.lease_seconds
    return seconds
