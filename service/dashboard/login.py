"""Logging in with a key or a one-time link, and out again."""

from typing import Annotated

from fastapi import APIRouter, Form, Request
from fastapi.responses import RedirectResponse, Response

from service import proxies
from service.audit import trail
from service.callers import COOKIE, Callers
from service.dashboard.rendering import page
from service.db import SessionDep
from service.errors import UnauthorisedError
from service.keys import sessions
from service.limits.rates import Failures
from service.models import AuditKind
from service.scopes import Principal

router = APIRouter()


@router.get("/login")
def show_login(request: Request, session: SessionDep, link: str | None = None) -> Response:
    """The login form; with a good link, the way in."""
    if link is None:
        return page("login.html", error=None)
    return _entered(request, session, link=link)


@router.post("/login")
def log_in(request: Request, session: SessionDep, key: Annotated[str, Form(max_length=200)]) -> Response:
    """Log in with a key."""
    return _entered(request, session, key=key.strip())


# Whoever has a session may end it, whatever else it may do.
@router.post("/logout")
def log_out(request: Request, session: SessionDep) -> Response:
    """End the browser session."""
    caller: Principal = request.scope["principal"]
    callers: Callers = request.app.state.callers
    if caller.session_id is not None:
        callers.forget_after(session)
        sessions.log_out(session, request.cookies.get(COOKIE, ""))
        trail.record(session, caller, AuditKind.LOGOUT, caller.name)
    response = RedirectResponse("/login", status_code=303)
    response.delete_cookie(COOKIE, path=_cookie_path())
    return response


def _entered(
    request: Request, session: SessionDep, *, key: str | None = None, link: str | None = None
) -> Response:
    try:
        token, who = sessions.log_in(session, key=key, link=link)
    except UnauthorisedError as error:
        failures: Failures = request.app.state.failures
        failures.count(request.scope)
        refusal = page("login.html", error=error.detail)
        refusal.status_code = error.status
        return refusal
    trail.record(session, who, AuditKind.LOGIN, who.name)
    response = RedirectResponse("/", status_code=303)
    response.set_cookie(
        COOKIE,
        token,
        max_age=int(sessions.LONGEST.total_seconds()),
        path=_cookie_path(),
        httponly=True,
        samesite="lax",
        secure=request.url.scheme == "https",
    )
    return response


def _cookie_path() -> str:
    return proxies.prefix.get() or "/"
