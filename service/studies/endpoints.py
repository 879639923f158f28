"""Endpoints of studies."""

from typing import Annotated

from fastapi import APIRouter, Query, Response, status

from service.audit import trail
from service.db import SessionDep
from service.errors import (
    ConflictError,
    InvalidCursorError,
    InvalidRequestError,
    NotFoundError,
    PreconditionFailedError,
    PreconditionRequiredError,
)
from service.models import AuditKind
from service.pages import PagingById
from service.preconditions import IfMatch
from service.problem_details import errors
from service.routes import Route, already
from service.schemas import Page
from service.scopes import Principal, Scope, needs
from service.studies import notes, repository, service
from service.studies.schemas import StudyIn, StudyName, StudyNotes, StudyOut

router = APIRouter(prefix="/v1/studies", tags=["studies"], route_class=Route)


@router.post(
    "",
    status_code=status.HTTP_201_CREATED,
    responses=already(StudyOut) | errors(ConflictError, InvalidRequestError),
)
def create_study(
    body: StudyIn,
    response: Response,
    session: SessionDep,
    caller: Annotated[Principal, needs(Scope.STUDIES_WRITE)],
) -> StudyOut:
    """Create a study. The same body again answers 200 with the study that exists."""
    study, created = service.create(session, caller.project_id, body)
    if created:
        trail.record(session, caller, AuditKind.STUDY_CREATED, study.name, study=str(study.id))
    else:
        response.status_code = status.HTTP_200_OK
    return service.shown(session, [study])[0]


@router.get("", responses=errors(InvalidCursorError))
def list_studies(
    session: SessionDep,
    caller: Annotated[Principal, needs(Scope.STUDIES_READ)],
    paging: PagingById,
    counts: Annotated[
        bool, Query(description="Whether the runs of each are counted: it takes time.")
    ] = False,
) -> Page[StudyOut]:
    """Studies of the project, newest first."""
    found = repository.page(session, caller.project_id, paging.wanted)
    return paging.page(found, service.shown(session, found.rows, counts=counts))


@router.get("/{study}", responses=errors(NotFoundError))
def get_study(
    study: StudyName, session: SessionDep, caller: Annotated[Principal, needs(Scope.STUDIES_READ)]
) -> StudyOut:
    """One study."""
    return service.shown(session, [service.get(session, caller.project_id, study)])[0]


@router.get("/{study}/notes", responses=errors(NotFoundError))
def get_study_notes(
    study: StudyName,
    response: Response,
    session: SessionDep,
    caller: Annotated[Principal, needs(Scope.STUDIES_READ)],
) -> StudyNotes:
    """Notes of a study, with the ETag that an edit must show."""
    found = service.get(session, caller.project_id, study)
    response.headers["ETag"] = notes.etag(found)
    return notes.shown(found)


@router.put(
    "/{study}/notes",
    responses=errors(NotFoundError, PreconditionFailedError, PreconditionRequiredError),
)
def put_study_notes(
    study: StudyName,
    body: StudyNotes,
    response: Response,
    session: SessionDep,
    caller: Annotated[Principal, needs(Scope.STUDIES_WRITE)],
    if_match: IfMatch = None,
) -> StudyNotes:
    """Replace the notes of a study. An ETag that is not the newest answers 412 with the notes as they are."""
    found, changed = notes.edit(session, caller.project_id, study, body, if_match)
    if changed:
        trail.record(session, caller, AuditKind.STUDY_NOTED, found.name, study=str(found.id))
    response.headers["ETag"] = notes.etag(found)
    return notes.shown(found)
