"""Logging in with a key or a one-time link, and out again."""

from typing import Annotated

from fastapi import APIRouter, Form, Request
from fastapi.responses import RedirectResponse, Response

from service.callers import COOKIE, Callers
from service.dashboard.rendering import page
from service.db import SessionDep
from service.errors import UnauthorisedError
from service.keys import service
from service.limits.rates import Failures
from service.scopes import Principal, Scope, needs

router = APIRouter()

_COOKIE_SECONDS = service.SESSION_DAYS * 86_400


@router.get("/login")
def show_login(request: Request, session: SessionDep, link: str | None = None) -> Response:
    """The login form; with a good link, the way in."""
    if link is None:
        return page("login.html", error=None)
    try:
        return _enter(request, service.log_in(session, link=link))
    except UnauthorisedError as error:
        return _refused(request, error)


@router.post("/login")
def log_in(request: Request, session: SessionDep, key: Annotated[str, Form(max_length=200)]) -> Response:
    """Log in with a key."""
    try:
        return _enter(request, service.log_in(session, key=key.strip()))
    except UnauthorisedError as error:
        return _refused(request, error)


@router.post("/logout")
def log_out(
    request: Request, session: SessionDep, _caller: Annotated[Principal, needs(Scope.STUDIES_READ)]
) -> Response:
    """End the browser session."""
    callers: Callers = request.app.state.callers
    callers.forget_after(session)
    service.log_out(session, request.cookies.get(COOKIE, ""))
    response = RedirectResponse("/login", status_code=303)
    response.delete_cookie(COOKIE)
    return response


def _enter(request: Request, token: str) -> Response:
    response = RedirectResponse("/", status_code=303)
    response.set_cookie(
        COOKIE,
        token,
        max_age=_COOKIE_SECONDS,
        httponly=True,
        samesite="lax",
        secure=request.url.scheme == "https",
    )
    return response


def _refused(request: Request, error: UnauthorisedError) -> Response:
    failures: Failures = request.app.state.failures
    failures.count(request.scope)
    response = page("login.html", error=error.detail)
    response.status_code = 401
    return response
