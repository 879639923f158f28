"""Keys of the project: seen, made, replaced, and revoked; for administrators."""

from typing import Annotated
from uuid import UUID

from fastapi import APIRouter, Form, Request
from fastapi.responses import HTMLResponse, RedirectResponse, Response
from pydantic import ValidationError
from sqlalchemy.orm import Session

from service import proxies
from service.clock_repository import now
from service.dashboard.rendering import page
from service.db import SessionDep
from service.errors import InvalidRequestError
from service.keys import endpoints, repository
from service.keys.schemas import LONGEST_OVERLAP_SECONDS, KeyId, KeyIn, NewKeyOut, Reason, RotationIn
from service.listing import Found
from service.models import ApiKey
from service.pages import PagingById
from service.scopes import EVERY_SCOPE, Principal, Scope, needs

router = APIRouter()

_HOUR = 3600  # seconds: people plan the change of a key by the hour
_MOST_HOURS = LONGEST_OVERLAP_SECONDS // _HOUR


@router.get("/keys")
def show_keys(
    session: SessionDep, caller: Annotated[Principal, needs(Scope.KEYS_ADMIN)], paging: PagingById
) -> HTMLResponse:
    """Keys of the project, oldest first, and a form for another."""
    found = repository.page(session, caller.project_id, paging.wanted)
    return _shown(session, caller, found, paging.next(found.last))


@router.post("/keys")
def make_key(
    session: SessionDep,
    caller: Annotated[Principal, needs(Scope.KEYS_ADMIN)],
    paging: PagingById,
    name: Annotated[str, Form()] = "",
    days: Annotated[str, Form()] = "",
    scopes: Annotated[list[str] | None, Form()] = None,
) -> HTMLResponse:
    """Make a key. Its secret is on this page and nowhere else."""
    made, error = None, None
    try:
        body = KeyIn.model_validate({"name": name, "days": days.strip() or None, "scopes": scopes or []})
        made = endpoints.create_key(body, session, caller)
    except ValidationError as wrong:
        error = _in_words(wrong)
    found = repository.page(session, caller.project_id, paging.wanted)
    answer = _shown(session, caller, found, paging.next(found.last), made=made, error=error)
    return _told_once(answer, InvalidRequestError.status if error else 201)


@router.post("/keys/{key_id}/rotate")
def rotate_key(
    key_id: KeyId,
    request: Request,
    session: SessionDep,
    caller: Annotated[Principal, needs(Scope.KEYS_ADMIN)],
    paging: PagingById,
    hours: Annotated[int, Form(ge=0, le=_MOST_HOURS)],
    days: Annotated[int | None, Form(ge=1, le=3650)] = None,
    reason: Annotated[Reason, Form()] = "",
) -> HTMLResponse:
    """Replace a key by another one, whose secret is on this page and nowhere else."""
    body = RotationIn(overlap_seconds=hours * _HOUR, days=days, reason=reason)
    made = endpoints.rotate_key(key_id, body, request, session, caller)
    found = repository.page(session, caller.project_id, paging.wanted)
    return _told_once(_shown(session, caller, found, paging.next(found.last), made=made), 201)


@router.post("/keys/{key_id}/revoke")
def revoke_key(
    key_id: KeyId,
    request: Request,
    session: SessionDep,
    caller: Annotated[Principal, needs(Scope.KEYS_ADMIN)],
    reason: Annotated[Reason, Form()] = "",
) -> Response:
    """Revoke a key, with what it opened."""
    endpoints.revoke_key(key_id, request, session, caller, reason)
    return RedirectResponse(f"{proxies.prefix.get()}/keys", status_code=303)


def _told_once(answer: HTMLResponse, status: int) -> HTMLResponse:
    """A page with a secret, which no cache may keep."""
    answer.status_code = status
    answer.headers["Cache-Control"] = "no-store"
    return answer


def _shown(
    session: Session,
    caller: Principal,
    found: Found[ApiKey, UUID],
    following: str | None,
    *,
    made: NewKeyOut | None = None,
    error: str | None = None,
) -> HTMLResponse:
    moment = now(session)
    replaced = {key.replaces_id for key in found.rows}
    return page(
        "keys.html",
        keys=found.rows,
        replaced=replaced,
        held=caller.scopes,
        most_hours=_MOST_HOURS,
        ended={key.id for key in found.rows if key.expires_at is not None and key.expires_at <= moment},
        own=caller.key_id,
        next=following,
        scopes=[scope.value for scope in EVERY_SCOPE if scope in caller.scopes],
        made=made,
        error=error,
    )


def _in_words(wrong: ValidationError) -> str:
    """What to mend in the form, by field."""
    return "; ".join(f"{'.'.join(str(part) for part in e['loc'])}: {e['msg']}" for e in wrong.errors())
