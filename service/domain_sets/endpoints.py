"""Endpoints of domain sets."""

from typing import Annotated

from fastapi import APIRouter, Query, Response, status

from service.db import SessionDep
from service.domain_sets import repository, service
from service.domain_sets.schemas import DomainSetIn, DomainSetOut, SetName, Version
from service.errors import InvalidCursorError, InvalidRequestError, NotFoundError
from service.pages import PagingById
from service.problem_details import errors
from service.routes import Route, already
from service.schemas import Page, Slug
from service.scopes import Principal, Scope, needs

router = APIRouter(prefix="/v1/domain-sets", tags=["studies"], route_class=Route)


@router.post(
    "", status_code=status.HTTP_201_CREATED, responses=already(DomainSetOut) | errors(InvalidRequestError)
)
def create_domain_set(
    body: DomainSetIn,
    response: Response,
    session: SessionDep,
    caller: Annotated[Principal, needs(Scope.STUDIES_WRITE)],
) -> DomainSetOut:
    """Create a domain set, or another version of it. The same as the newest version answers 200 with that."""
    made, created = service.create(session, caller.project_id, body)
    response.status_code = status.HTTP_201_CREATED if created else status.HTTP_200_OK
    return DomainSetOut.model_validate(made)


@router.get("", responses=errors(InvalidCursorError))
def list_domain_sets(
    session: SessionDep,
    caller: Annotated[Principal, needs(Scope.STUDIES_READ)],
    paging: PagingById,
    name: Annotated[Slug | None, Query(description="Only versions of this set.")] = None,
) -> Page[DomainSetOut]:
    """All versions of all domain sets of the project, in order of creation."""
    found = repository.page(session, caller.project_id, paging.wanted, name=name)
    return paging.page(found, [DomainSetOut.model_validate(row) for row in found.rows])


@router.get("/{name}", responses=errors(NotFoundError))
def get_domain_set(
    name: SetName,
    session: SessionDep,
    caller: Annotated[Principal, needs(Scope.STUDIES_READ)],
    version: Annotated[Version | None, Query(description="Which version; by default the newest.")] = None,
) -> DomainSetOut:
    """One domain set."""
    return DomainSetOut.model_validate(service.get(session, caller.project_id, name, version))
