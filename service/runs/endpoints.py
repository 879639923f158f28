"""Endpoints of proxy runs."""

from typing import Annotated, Literal

from fastapi import APIRouter, Query, Response, status

from service.clock_repository import now
from service.db import SessionDep
from service.errors import (
    ConflictError,
    InvalidCursorError,
    InvalidRequestError,
    NotFoundError,
    PreconditionFailedError,
    PreconditionRequiredError,
)
from service.models import RunState
from service.pages import PagingById
from service.preconditions import IfMatch
from service.problem_details import errors
from service.routes import Route
from service.runs import notes, own, repository, service
from service.runs.schemas import ClientId, NotesBody, RunId, RunIn, RunOut
from service.schemas import Page
from service.scopes import Principal, Scope, needs
from service.studies import service as studies
from service.studies.schemas import StudyName

router = APIRouter(prefix="/v1", tags=["runs"], route_class=Route)


@router.get("/runs/{run_id}", responses=errors(NotFoundError))
def get_run(
    run_id: RunId, session: SessionDep, caller: Annotated[Principal, needs(Scope.STUDIES_READ)]
) -> RunOut:
    """One run."""
    return service.shown(service.get(session, caller.project_id, run_id), now(session))


@router.get("/studies/{study}/runs", responses=errors(NotFoundError, InvalidCursorError))
def list_runs(
    study: StudyName,
    session: SessionDep,
    caller: Annotated[Principal, needs(Scope.STUDIES_READ)],
    paging: PagingById,
    state: Annotated[RunState | None, Query(description="Only runs in this state.")] = None,
    purpose: Annotated[
        Literal["proxy", "confirmation"] | None, Query(description="Only runs of such sweeps.")
    ] = None,
) -> Page[RunOut]:
    """Runs of a study, in order of creation."""
    owner = studies.get(session, caller.project_id, study)
    found = repository.page(session, owner.id, paging.wanted, state=state, purpose=purpose)
    moment = now(session)
    return paging.page(found, [service.shown((run, sweep, owner), moment) for run, sweep in found.rows])


@router.put(
    "/studies/{study}/runs/{run_id}", responses=errors(NotFoundError, ConflictError, InvalidRequestError)
)
def put_run(
    study: StudyName,
    run_id: ClientId,
    body: RunIn,
    response: Response,
    session: SessionDep,
    caller: Annotated[Principal, needs(Scope.STUDIES_WRITE)],
) -> RunOut:
    """Put a run that you train yourself, under an id of your choice, unique in the study.

    It is in training at once, and no worker is given it; its observations and its result need no lease. The
    same again answers 200 with the run as it is; another one under the same id answers 409 with both.
    """
    owner = studies.get(session, caller.project_id, study)
    row, created = own.put(session, owner, run_id, body)
    response.status_code = status.HTTP_201_CREATED if created else status.HTTP_200_OK
    return service.shown(row, now(session))


@router.get("/studies/{study}/runs/{run_id}", responses=errors(NotFoundError))
def get_put_run(
    study: StudyName,
    run_id: ClientId,
    session: SessionDep,
    caller: Annotated[Principal, needs(Scope.STUDIES_READ)],
) -> RunOut:
    """The run that was put, or imported, under an id of its client's choice."""
    owner = studies.get(session, caller.project_id, study)
    return service.shown(own.get(session, owner, run_id), now(session))


@router.get("/runs/{run_id}/notes", responses=errors(NotFoundError))
def get_notes(
    run_id: RunId,
    response: Response,
    session: SessionDep,
    caller: Annotated[Principal, needs(Scope.STUDIES_READ)],
) -> NotesBody:
    """Notes and tags of a run, with the ETag that an edit must show."""
    run = service.get(session, caller.project_id, run_id)[0]
    response.headers["ETag"] = notes.etag(run)
    return notes.shown(run)


@router.put(
    "/runs/{run_id}/notes",
    responses=errors(NotFoundError, PreconditionFailedError, PreconditionRequiredError),
)
def put_notes(
    run_id: RunId,
    body: NotesBody,
    response: Response,
    session: SessionDep,
    caller: Annotated[Principal, needs(Scope.STUDIES_WRITE)],
    if_match: IfMatch = None,
) -> NotesBody:
    """Replace notes and tags of a run, in any state of it. An ETag that is not the newest answers 412."""
    run = notes.edit(session, caller.project_id, run_id, body, if_match)
    response.headers["ETag"] = notes.etag(run)
    return notes.shown(run)
