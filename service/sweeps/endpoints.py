"""Endpoints of sweeps."""

from typing import Annotated

from fastapi import APIRouter, status

from service.db import SessionDep
from service.errors import InvalidCursorError, InvalidRequestError, NotFoundError
from service.pages import PagingById
from service.problem_details import errors
from service.routes import Route
from service.runs import repository as runs
from service.schemas import EndIn, Page
from service.scopes import Principal, Scope, needs
from service.studies import service as studies
from service.studies.schemas import StudyName
from service.sweeps import repository, service
from service.sweeps.schemas import SweepId, SweepIn, SweepOut

router = APIRouter(prefix="/v1", tags=["sweeps"], route_class=Route)


@router.post(
    "/studies/{study}/sweeps",
    status_code=status.HTTP_201_CREATED,
    responses=errors(NotFoundError, InvalidRequestError),
)
def create_sweep(
    study: StudyName,
    body: SweepIn,
    session: SessionDep,
    caller: Annotated[Principal, needs(Scope.STUDIES_WRITE)],
) -> SweepOut:
    """Design a sweep and queue its runs for workers."""
    owner = studies.get(session, caller.project_id, study)
    return service.shown(session, [service.create(session, owner, body)], owner)[0]


@router.get("/studies/{study}/sweeps", responses=errors(NotFoundError, InvalidCursorError))
def list_sweeps(
    study: StudyName,
    session: SessionDep,
    caller: Annotated[Principal, needs(Scope.STUDIES_READ)],
    paging: PagingById,
) -> Page[SweepOut]:
    """Sweeps of a study, newest first."""
    owner = studies.get(session, caller.project_id, study)
    found = repository.page(session, owner.id, paging.wanted)
    return paging.page(found, service.shown(session, found.rows, owner))


@router.post("/sweeps/{sweep_id}/cancel", responses=errors(NotFoundError))
def cancel_sweep(
    sweep_id: SweepId,
    body: EndIn,
    session: SessionDep,
    caller: Annotated[Principal, needs(Scope.STUDIES_WRITE)],
) -> SweepOut:
    """Take out every run of a sweep that is not finished; cancelling again changes nothing."""
    sweep, study = service.get(session, caller.project_id, sweep_id)
    runs.cancel_open(session, sweep.id, body.reason)
    return service.shown(session, [sweep], study)[0]


@router.get("/sweeps/{sweep_id}", responses=errors(NotFoundError))
def get_sweep(
    sweep_id: SweepId, session: SessionDep, caller: Annotated[Principal, needs(Scope.STUDIES_READ)]
) -> SweepOut:
    """A sweep with the progress of its runs."""
    sweep, owner = service.get(session, caller.project_id, sweep_id)
    return service.shown(session, [sweep], owner)[0]
