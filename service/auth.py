"""The gate in front of every route: one pure-ASGI layer that denies unless a caller is known.

It checks the Host header, finds out who calls (API key or browser session), and refuses everything but
a short list of public paths without a caller. Scopes are checked by the routes. Being plain ASGI it
costs a request little and covers what no router ever sees, such as unknown paths.
"""

from collections.abc import Mapping
from typing import Any
from urllib.parse import urlsplit

from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from service.callers import Callers, session_token
from service.direct import DirectRoutes
from service.errors import ServiceError, TooManyRequestsError
from service.limits.rates import Failures, Rates
from service.problem_details import DATABASE_AWAY, answer_to, database_away, problem, refused, response
from service.scopes import current

PUBLIC_PATHS = frozenset({"/livez", "/readyz", "/login"})
PUBLIC_PREFIX = "/static/"
_SAFE_METHODS = frozenset({"GET", "HEAD", "OPTIONS"})


class Gate:
    """The middleware.

    Args:
        app: what lies behind.
        callers: who is known.
        allowed_hosts: Host headers that are answered, without their port.
        failures: who showed no good key too often.
        rates: how often a caller may ask.
        direct: routes that are answered without the framework.
    """

    def __init__(
        self,
        app: ASGIApp,
        *,
        callers: Callers,
        allowed_hosts: list[str],
        failures: Failures,
        rates: Rates,
        direct: DirectRoutes,
    ) -> None:
        self._app = app
        self._direct = direct
        self._callers = callers
        self._hosts = frozenset(allowed_hosts)
        self._failures, self._rates = failures, rates

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Let a request through, or answer it with a problem."""
        if scope["type"] == "lifespan":
            await self._app(scope, receive, send)
            return
        if scope["type"] != "http":  # nothing here speaks anything else
            await send({"type": "websocket.close", "code": 1008})
            return
        headers, encrypted = _first_headers(scope), scope["scheme"] == "https"
        refusal = self._foreign(scope, headers)
        if refusal is None and not _is_public(scope["path"]):
            refusal = await self._stranger(scope, headers)
        if refusal is not None:
            await refusal(scope, receive, _guarded(send, encrypted=encrypted))
            return
        found = self._direct.find(scope)
        if found is None or found[0].body is not None:  # bodies are read further inside
            await self._app(scope, receive, _guarded(send, encrypted=encrypted))
            return
        try:
            await self._direct.answer(found, headers, scope, receive, send)
        except (ServiceError, HTTPException, *DATABASE_AWAY) as error:
            # No answer has begun: those that take long end by themselves.
            await answer_to(Request(scope), error)(scope, receive, _guarded(send, encrypted=encrypted))

    async def _stranger(self, scope: Scope, headers: Mapping[str, str]) -> ASGIApp | None:
        """Refuse who is not known; note who is."""
        try:
            principal = await self._callers.find(headers)
        except DATABASE_AWAY as error:
            return database_away(error)
        if principal is None:
            try:
                self._failures.count(scope)
            except TooManyRequestsError as error:
                return refused(error)
            return _unauthorised(scope, headers)
        scope["principal"] = principal
        current.set(principal)
        try:
            self._rates.check(principal)
        except TooManyRequestsError as error:
            return refused(error)
        return None

    def _foreign(self, scope: Scope, headers: Mapping[str, str]) -> ASGIApp | None:
        """Refuse other hosts, paths of no name, and writes of another site with our cookie."""
        host = headers.get("host", "")
        name = host.rsplit(":", 1)[0] if not host.endswith("]") else host
        if "*" not in self._hosts and name not in self._hosts:
            detail = (
                f"host {host[:100]!r} is not served here: add it to MIXWRIGHT_ALLOWED_HOSTS if it should be"
            )
            return response(problem(421, "unknown_host", "Misdirected request", detail))
        if "\0" in scope["path"]:
            # PostgreSQL stores no such text, so nothing is called that: it must not even be looked for.
            return response(problem(404, "not_found", "Not found", "no name holds the character U+0000"))
        if scope["method"] in _SAFE_METHODS or "authorization" in headers or _is_own(scope, headers, host):
            return None
        detail = "this must be sent from a page of this site, or with a key as 'Authorization: Bearer mx_...'"
        return response(problem(403, "cross_origin", "Forbidden", detail))


def _first_headers(scope: Scope) -> dict[str, str]:
    """Headers by name, decoded once; of several with one name the first, as the framework reads them."""
    return {name.decode("latin-1"): value.decode("latin-1") for name, value in reversed(scope["headers"])}


def _is_public(path: str) -> bool:
    return path in PUBLIC_PATHS or path.startswith(PUBLIC_PREFIX)


def _is_own(scope: Scope, headers: Mapping[str, str], host: str) -> bool:
    """Whether a request that no key came with was sent by a page of ours, as far as browsers tell.

    All of them tell on every request that writes. Who shows a cookie and does not tell is refused.
    """
    origin, site = headers.get("origin"), headers.get("sec-fetch-site")
    if site not in {None, "same-origin", "none"}:
        return False
    if origin is None:
        return site is not None or not session_token(headers)
    try:
        parts = urlsplit(origin)
    except ValueError:
        return False
    # Without a proxy that says so, nobody knows here whether there is TLS in front.
    return parts.netloc == host and (scope["scheme"] == "http" or parts.scheme == "https")


def _unauthorised(scope: Scope, headers: Mapping[str, str]) -> ASGIApp:
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


def _guarded(send: Send, *, encrypted: bool) -> Send:
    """Add the headers that keep browsers strict, on every answer."""

    async def with_headers(message: Message) -> None:
        if message["type"] == "http.response.start":
            headers: list[Any] = list(message.get("headers", []))
            names = {name.lower() for name, _ in headers}
            for name, value in _SECURITY_HEADERS + _ENCRYPTED_HEADERS * encrypted:
                if name not in names:
                    headers.append((name, value))
            message = {**message, "headers": headers}
        await send(message)

    return with_headers


# A year: a browser that was here once does not try without TLS again.
_ENCRYPTED_HEADERS = ((b"strict-transport-security", b"max-age=31536000"),)
_SECURITY_HEADERS = (
    (b"x-content-type-options", b"nosniff"),
    # Not "no-referrer": with it browsers send forms of our own pages with an origin of null.
    (b"referrer-policy", b"same-origin"),
    (b"cross-origin-resource-policy", b"same-origin"),
    (
        b"content-security-policy",
        (
            # plotly's colour bar sets an empty style attribute: that one text is allowed, by its hash.
            b"style-src-attr 'unsafe-hashes' 'sha256-47DEQpj8HBSa+/TImW+5JCeuQeRkm5NMpJWZG3hSuFU='; "
            b"default-src 'self'; img-src 'self' data: blob:; object-src 'none'; base-uri 'none'; "
            b"form-action 'self'; frame-ancestors 'none'"
        ),
    ),
)
