"""Endpoints of API keys."""

from typing import Annotated

from fastapi import APIRouter, Request, status

from service.callers import Callers
from service.db import SessionDep
from service.errors import ForbiddenError, InvalidCursorError, InvalidRequestError, NotFoundError
from service.keys import repository, service
from service.keys.schemas import KeyId, KeyIn, KeyOut, NewKeyOut
from service.pages import PagingById
from service.problem_details import errors
from service.routes import Route
from service.schemas import Page
from service.scopes import Principal, Scope, needs

router = APIRouter(prefix="/v1/keys", tags=["keys"], route_class=Route)


@router.post("", status_code=status.HTTP_201_CREATED, responses=errors(ForbiddenError, InvalidRequestError))
def create_key(
    body: KeyIn, session: SessionDep, caller: Annotated[Principal, needs(Scope.KEYS_ADMIN)]
) -> NewKeyOut:
    """Make a key of the caller's project. Its secret is in this answer and nowhere else."""
    for scope in body.scopes:
        caller.require(scope)  # nobody gives away more than they have
    key, secret = service.create_key_in(
        session, caller.project_id, name=body.name, scopes=body.scopes, days=body.days
    )
    session.refresh(key)
    return NewKeyOut(key=secret.text, **KeyOut.model_validate(key).model_dump())


@router.get("", responses=errors(ForbiddenError, InvalidCursorError))
def list_keys(
    session: SessionDep, caller: Annotated[Principal, needs(Scope.KEYS_ADMIN)], paging: PagingById
) -> Page[KeyOut]:
    """Keys of the caller's project, oldest first, without their secrets."""
    found = repository.page(session, caller.project_id, paging.wanted)
    return paging.page(found, [KeyOut.model_validate(key) for key in found.rows])


@router.delete(
    "/{key_id}", status_code=status.HTTP_204_NO_CONTENT, responses=errors(ForbiddenError, NotFoundError)
)
def revoke_key(
    key_id: KeyId,
    request: Request,
    session: SessionDep,
    caller: Annotated[Principal, needs(Scope.KEYS_ADMIN)],
) -> None:
    """Revoke a key. This process refuses it at once, others on the same database within seconds."""
    callers: Callers = request.app.state.callers
    callers.forget_after(session)
    service.revoke_key(session, caller.project_id, key_id)
