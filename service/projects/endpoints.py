"""Endpoints of projects, for whoever runs an installation that several teams share."""

from typing import Annotated

from fastapi import APIRouter, Query, Request, status

from service.callers import Callers
from service.db import SessionDep
from service.errors import (
    ConflictError,
    ForbiddenError,
    InvalidCursorError,
    InvalidRequestError,
    NotFoundError,
)
from service.keys import service as keys
from service.keys.schemas import NewKeyOut, Reason
from service.pages import PagingById
from service.problem_details import errors
from service.projects import repository, service
from service.projects.schemas import NewProjectOut, ProjectChange, ProjectId, ProjectIn, ProjectOut
from service.routes import Route
from service.schemas import Page
from service.scopes import PROJECT_SCOPES, Principal, Scope, needs

router = APIRouter(prefix="/v1/projects", tags=["projects"], route_class=Route)

Operator = Annotated[Principal, needs(Scope.PROJECTS_ADMIN)]
_FIRST_KEY = "admin"


@router.post(
    "",
    status_code=status.HTTP_201_CREATED,
    responses=errors(ForbiddenError, ConflictError, InvalidRequestError),
)
def create_project(body: ProjectIn, session: SessionDep, caller: Operator) -> NewProjectOut:
    """Make a project with its first key, which may do everything in it. The key is told this once."""
    project = service.create(session, caller, body.name)
    first = keys.create_key_in(session, project.id, name=_FIRST_KEY, scopes=PROJECT_SCOPES)
    session.refresh(first[0])
    told = ProjectOut.model_validate(project).model_dump()
    return NewProjectOut(**told, first_key=NewKeyOut.told(*first))


@router.get("", responses=errors(ForbiddenError, InvalidCursorError))
def list_projects(
    session: SessionDep,
    caller: Operator,  # noqa: ARG001 - who has the scope sees all of them
    paging: PagingById,
) -> Page[ProjectOut]:
    """All projects of the installation, in order of creation."""
    found = repository.page(session, paging.wanted)
    return paging.page(found, [ProjectOut.model_validate(row) for row in found.rows])


@router.patch(
    "/{project_id}", responses=errors(ForbiddenError, NotFoundError, ConflictError, InvalidRequestError)
)
def rename_project(
    project_id: ProjectId, body: ProjectChange, session: SessionDep, caller: Operator
) -> ProjectOut:
    """Give a project another name. Its keys, studies and jobs stay as they are."""
    project = service.get(session, project_id)
    service.rename(session, caller, project, body.name, body.reason)
    return ProjectOut.model_validate(project)


@router.delete(
    "/{project_id}",
    status_code=status.HTTP_204_NO_CONTENT,
    responses=errors(ForbiddenError, NotFoundError, ConflictError),
)
def delete_project(
    project_id: ProjectId,
    request: Request,
    session: SessionDep,
    caller: Operator,
    reason: Annotated[Reason, Query(description="Why, for the audit trail.")] = "",
) -> None:
    """Delete a project that has neither studies nor jobs, with its keys and its audit trail."""
    callers: Callers = request.app.state.callers
    callers.forget_after(session)
    service.remove(session, caller, service.get(session, project_id), reason)
