"""Endpoints of API keys."""

from typing import Annotated

from fastapi import APIRouter, Query, Request, status

from service.audit import trail
from service.callers import Callers
from service.db import SessionDep
from service.errors import (
    ConflictError,
    ForbiddenError,
    InvalidCursorError,
    InvalidRequestError,
    NotFoundError,
)
from service.keys import repository, service
from service.keys.schemas import KeyId, KeyIn, KeyOut, NewKeyOut, Reason, RotationIn
from service.models import AuditKind
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
    trail.record(session, caller, AuditKind.KEY_CREATED, key.name, key=str(key.id), scopes=key.scopes)
    return NewKeyOut.told(key, secret)


@router.get("", responses=errors(ForbiddenError, InvalidCursorError))
def list_keys(
    session: SessionDep, caller: Annotated[Principal, needs(Scope.KEYS_ADMIN)], paging: PagingById
) -> Page[KeyOut]:
    """Keys of the caller's project, oldest first, without their secrets."""
    found = repository.page(session, caller.project_id, paging.wanted)
    return paging.page(found, [KeyOut.model_validate(key) for key in found.rows])


@router.post(
    "/{key_id}/rotate",
    status_code=status.HTTP_201_CREATED,
    responses=errors(ForbiddenError, NotFoundError, ConflictError, InvalidRequestError),
)
def rotate_key(
    key_id: KeyId,
    body: RotationIn,
    request: Request,
    session: SessionDep,
    caller: Annotated[Principal, needs(Scope.KEYS_ADMIN)],
) -> NewKeyOut:
    """Replace a key by a new one of the same name and scopes; the old one works on for a while.

    The secret of the new one is in this answer and nowhere else.
    """
    old = service.own_key(session, caller.project_id, key_id)
    for scope in old.scopes:
        caller.require(scope)  # its secret is given to the caller
    callers: Callers = request.app.state.callers
    callers.forget_after(session)
    key, secret = service.rotate_key(session, old, overlap_seconds=body.overlap_seconds, days=body.days)
    session.refresh(key)
    trail.record(
        session,
        caller,
        AuditKind.KEY_ROTATED,
        key.name,
        reason=body.reason,
        key=str(key.id),
        replaces=str(old.id),
        overlap_seconds=body.overlap_seconds,
    )
    return NewKeyOut.told(key, secret)


@router.delete(
    "/{key_id}", status_code=status.HTTP_204_NO_CONTENT, responses=errors(ForbiddenError, NotFoundError)
)
def revoke_key(
    key_id: KeyId,
    request: Request,
    session: SessionDep,
    caller: Annotated[Principal, needs(Scope.KEYS_ADMIN)],
    reason: Annotated[Reason, Query(description="Why, for the audit trail.")] = "",
) -> None:
    """Revoke a key. This process refuses it at once, others on the same database within seconds.

    Browser sessions and streams that were opened with it end, too.
    """
    callers: Callers = request.app.state.callers
    callers.forget_after(session)
    key, revoked = service.revoke_key(session, caller.project_id, key_id)
    if revoked:
        trail.record(session, caller, AuditKind.KEY_REVOKED, key.name, reason=reason, key=str(key.id))
