"""Endpoints of sweeps."""

from typing import Annotated
from uuid import UUID

from fastapi import APIRouter, Query, status

from service.db import SessionDep
from service.errors import InvalidRequestError, NotFoundError
from service.problem_details import errors
from service.runs import repository as runs
from service.schemas import EndIn, Page
from service.scopes import Principal, Scope, needs
from service.studies import service as studies
from service.studies.schemas import StudyName
from service.sweeps import repository, service
from service.sweeps.schemas import SweepId, SweepIn, SweepOut

router = APIRouter(prefix="/v1", tags=["sweeps"])


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
    return service.shown(session, service.create(session, owner, body), owner)


@router.get("/studies/{study}/sweeps", responses=errors(NotFoundError))
def list_sweeps(
    study: StudyName,
    session: SessionDep,
    caller: Annotated[Principal, needs(Scope.STUDIES_READ)],
    limit: Annotated[int, Query(ge=1, le=1000, description="Most items of the page.")] = 100,
    cursor: Annotated[UUID | None, Query(description="`next` of the page before.")] = None,
) -> Page[SweepOut]:
    """Sweeps of a study, in order of creation."""
    owner = studies.get(session, caller.project_id, study)
    rows = repository.page(session, owner.id, after=cursor, limit=limit + 1)
    items = [service.shown(session, sweep, owner) for sweep in rows[:limit]]
    return Page(items=items, next=str(items[-1].id) if len(rows) > limit else None)


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
    return service.shown(session, sweep, study)


@router.get("/sweeps/{sweep_id}", responses=errors(NotFoundError))
def get_sweep(
    sweep_id: SweepId, session: SessionDep, caller: Annotated[Principal, needs(Scope.STUDIES_READ)]
) -> SweepOut:
    """A sweep with the progress of its runs."""
    return service.shown(session, *service.get(session, caller.project_id, sweep_id))
