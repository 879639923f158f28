"""The outermost layer: every request gets an id, is counted, and is told to the log if that is wanted."""

import logging
import time
from contextvars import ContextVar
from typing import Any

from starlette.types import ASGIApp, Message, Receive, Scope, Send

from service import request_ids
from service.observing.metrics import Counters
from service.problem_details import PROBLEM_CODE

_log = logging.getLogger("service.access")

# What the log says of the request that a line belongs to.
current: ContextVar[Scope | None] = ContextVar("current", default=None)
_CLASSES = ("1xx", "2xx", "3xx", "4xx", "5xx")
NO_ROUTE = "none"  # an address that does not exist, or that its caller may not know of
_LEFT = 499  # in the log alone, as proxies write it: the caller left before it was answered
_METHODS = frozenset({"GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS"})


class Observed:
    """The layer.

    Args:
        app: what lies behind.
        counters: where requests are counted.
        access_log: whether each request is a line of the log.
    """

    def __init__(self, app: ASGIApp, *, counters: Counters, access_log: bool) -> None:
        self._app, self._counters, self._access_log = app, counters, access_log

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Pass a request on and look at what becomes of it."""
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        scope["request_id"] = request_ids.begin(scope["headers"])
        current.set(scope)  # for the task of this request alone
        began = time.perf_counter()
        named = (request_ids.RAW_HEADER, scope["request_id"].encode())
        status = 500  # where it fails before it has answered

        async def noting(message: Message) -> None:
            nonlocal status
            if message["type"] == "http.response.start":
                status = message["status"]
                message = {**message, "headers": [*message.get("headers", ()), named]}
            await send(message)

        try:
            await self._app(scope, receive, noting)
        finally:
            self._note(scope, status, time.perf_counter() - began)

    def _note(self, scope: Scope, status: int, seconds: float) -> None:
        route = template(scope)
        method = scope["method"] if scope["method"] in _METHODS else "other"
        if "left" in scope:
            status = _LEFT
            self._counters.waits[scope["waits"], "left"] += 1
        elif "waits" in scope and status < 400:
            self._counters.waits[scope["waits"], "unchanged" if status == 304 else "answered"] += 1
        else:
            self._counters.requests[method, route, _CLASSES[status // 100 - 1]].add(seconds)
            if status >= 400:
                self._counters.problems[route, scope.get(PROBLEM_CODE, "none")] += 1
        if self._access_log:
            _log.info(
                "request", extra=told(scope) | {"status": status, "milliseconds": round(1e3 * seconds, 2)}
            )


def template(scope: Scope) -> str:
    """The route of a request, without what callers put into it."""
    found = scope.get("template")
    if found is None:
        found = getattr(scope.get("route"), "path", None)
    return found or NO_ROUTE


def told(scope: Scope) -> dict[str, Any]:
    """What the log may say of a request: no query, no body, of a key its name alone."""
    caller = scope.get("principal")
    found = {"request_id": scope["request_id"], "method": scope["method"], "route": template(scope)}
    return found if caller is None else found | {"caller": caller.name}
