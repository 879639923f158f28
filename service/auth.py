"""The gate in front of every route: one pure-ASGI layer that denies unless a caller is known.

It checks the Host header, finds out who calls (API key or browser session), and refuses everything but
a short list of public paths without a caller. Scopes are checked by the routes. Being plain ASGI it
costs a request little and covers what no router ever sees, such as unknown paths.
"""

import time
from collections.abc import Callable
from typing import Any
from urllib.parse import urlsplit

import anyio.to_thread
from starlette.datastructures import Headers
from starlette.exceptions import HTTPException
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from service.db import Database
from service.keys.service import principal_of_key, principal_of_session
from service.problem_details import problem, response
from service.scopes import Principal

COOKIE = "mixwright_session"
PUBLIC_PATHS = frozenset({"/livez", "/readyz", "/login"})
PUBLIC_PREFIX = "/static/"
CACHE_SECONDS = 5.0  # how long a revoked key may still be answered
_CACHE_LIMIT = 10_000
_SAFE_METHODS = frozenset({"GET", "HEAD", "OPTIONS"})


class Gate:
    """The middleware.

    Args:
        app: what lies behind.
        database: where keys are.
        allowed_hosts: Host headers that are answered, without their port.
        largest_body: bytes of a request body beyond which it is cut off.
    """

    def __init__(
        self, app: ASGIApp, *, database: Database, allowed_hosts: list[str], largest_body: int
    ) -> None:
        self._app = app
        self._database = database
        self._hosts = frozenset(allowed_hosts)
        self._largest_body = largest_body
        self._known: dict[str, tuple[float, Principal]] = {}

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Let a request through, or answer it with a problem."""
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        headers = Headers(scope=scope)
        refusal = self._foreign(scope, headers)
        if refusal is None and not _is_public(scope["path"]):
            principal = await self._principal(headers)
            if principal is None:
                refusal = _unauthorised(scope, headers)
            else:
                scope["principal"] = principal
        if refusal is not None:
            await refusal(scope, receive, send)
            return
        await self._app(scope, _limited(receive, self._largest_body), _guarded(send))

    def _foreign(self, scope: Scope, headers: Headers) -> ASGIApp | None:
        """Refuse other hosts, bodies too large, and writes that another site's page makes with our cookie."""
        host = headers.get("host", "")
        name = host.rsplit(":", 1)[0] if not host.endswith("]") else host
        if "*" not in self._hosts and name not in self._hosts:
            detail = (
                f"host {host[:100]!r} is not served here: add it to MIXWRIGHT_ALLOWED_HOSTS if it should be"
            )
            return response(problem(421, "unknown_host", "Misdirected request", detail))
        declared = headers.get("content-length", "0")
        if not declared.isdigit() or int(declared) > self._largest_body:
            return response(problem(413, "body_too_large", "Body too large", _too_large(self._largest_body)))
        if scope["method"] in _SAFE_METHODS or "authorization" in headers:
            return None
        origin, site = headers.get("origin"), headers.get("sec-fetch-site")
        if (origin is not None and urlsplit(origin).netloc != host) or site in {"cross-site", "same-site"}:
            return response(
                problem(403, "cross_origin", "Forbidden", "this form must be sent from this site")
            )
        return None

    async def _principal(self, headers: Headers) -> Principal | None:
        kind, _, text = headers.get("authorization", "").partition(" ")
        if kind:
            find: Callable[..., Principal | None] = principal_of_key
            credential = text.strip() if kind.lower() == "bearer" else ""
        else:
            find, credential = principal_of_session, _cookie(headers.get("cookie", ""))
        if not credential:
            return None
        slot = f"{find.__name__} {credential}"
        known = self._known.get(slot)
        if known is not None and known[0] > time.monotonic():
            return known[1]
        principal = await anyio.to_thread.run_sync(self._look_up, find, credential)
        if principal is None:
            self._known.pop(slot, None)
        else:
            if len(self._known) >= _CACHE_LIMIT:
                self._known.clear()
            self._known[slot] = (time.monotonic() + CACHE_SECONDS, principal)
        return principal

    def _look_up(self, find: Callable[..., Principal | None], credential: str) -> Principal | None:
        with self._database.session() as session:
            return find(session, credential)


def _is_public(path: str) -> bool:
    return path in PUBLIC_PATHS or path.startswith(PUBLIC_PREFIX)


def _cookie(header: str) -> str:
    for part in header.split(";"):
        name, _, value = part.strip().partition("=")
        if name == COOKIE:
            return value
    return ""


def _unauthorised(scope: Scope, headers: Headers) -> ASGIApp:
    """A problem for programs; the login page for people."""
    if "text/html" in headers.get("accept", "") and not scope["path"].startswith("/v1/"):
        return _Redirect("/login")
    detail = "send a valid API key as 'Authorization: Bearer mx_...': see `mixwright key`"
    document = problem(401, "unauthorised", "Unauthorised", detail)
    return response(document, headers={"WWW-Authenticate": "Bearer"})


class _Redirect:
    """An answer that sends a browser elsewhere."""

    def __init__(self, location: str) -> None:
        self._location = location

    async def __call__(self, _scope: Scope, _receive: Receive, send: Send) -> None:
        """Send whoever asks to the other address."""
        headers = [(b"location", self._location.encode()), (b"content-length", b"0")]
        await send({"type": "http.response.start", "status": 303, "headers": headers})
        await send({"type": "http.response.body", "body": b""})


def _limited(receive: Receive, limit: int) -> Receive:
    """Count a body while it comes in: a chunked one declares no length."""
    total = 0

    async def counted() -> Message:
        nonlocal total
        message = await receive()
        total += len(message.get("body", b""))
        if total > limit:
            raise HTTPException(413, _too_large(limit))
        return message

    return counted


def _too_large(limit: int) -> str:
    return f"the body has more than {limit} bytes: send it in parts"


def _guarded(send: Send) -> Send:
    """Add the headers that keep browsers strict, on every answer."""

    async def with_headers(message: Message) -> None:
        if message["type"] == "http.response.start":
            headers: list[Any] = list(message.get("headers", []))
            names = {name.lower() for name, _ in headers}
            for name, value in _SECURITY_HEADERS:
                if name not in names:
                    headers.append((name, value))
            message = {**message, "headers": headers}
        await send(message)

    return with_headers


_SECURITY_HEADERS = (
    (b"x-content-type-options", b"nosniff"),
    # Not "no-referrer": with it browsers send forms of our own pages with an origin of null.
    (b"referrer-policy", b"same-origin"),
    (b"cross-origin-resource-policy", b"same-origin"),
    (
        b"content-security-policy",
        (
            b"default-src 'self'; img-src 'self' data: blob:; object-src 'none'; base-uri 'none'; "
            b"form-action 'self'; frame-ancestors 'none'"
        ),
    ),
)
