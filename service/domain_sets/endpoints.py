"""Endpoints of domain sets."""

from typing import Annotated
from uuid import UUID

from fastapi import APIRouter, Query, Response, status

from service.db import SessionDep
from service.domain_sets import repository, service
from service.domain_sets.schemas import DomainSetIn, DomainSetOut, SetName, Version
from service.errors import InvalidRequestError, NotFoundError
from service.problem_details import errors
from service.schemas import Page, Slug
from service.scopes import Principal, Scope, needs

router = APIRouter(prefix="/v1/domain-sets", tags=["studies"])


@router.post("", status_code=status.HTTP_201_CREATED, responses=errors(InvalidRequestError))
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


@router.get("")
def list_domain_sets(
    session: SessionDep,
    caller: Annotated[Principal, needs(Scope.STUDIES_READ)],
    name: Annotated[Slug | None, Query(description="Only versions of this set.")] = None,
    limit: Annotated[int, Query(ge=1, le=1000, description="Most items of the page.")] = 100,
    cursor: Annotated[UUID | None, Query(description="`next` of the page before.")] = None,
) -> Page[DomainSetOut]:
    """All versions of all domain sets of the project, in order of creation."""
    rows = repository.page(session, caller.project_id, name=name, after=cursor, limit=limit + 1)
    items = [DomainSetOut.model_validate(row) for row in rows[:limit]]
    return Page(items=items, next=str(rows[limit - 1].id) if len(rows) > limit else None)


@router.get("/{name}", responses=errors(NotFoundError))
def get_domain_set(
    name: SetName,
    session: SessionDep,
    caller: Annotated[Principal, needs(Scope.STUDIES_READ)],
    version: Annotated[Version | None, Query(description="Which version; by default the newest.")] = None,
) -> DomainSetOut:
    """One domain set."""
    return DomainSetOut.model_validate(service.get(session, caller.project_id, name, version))
