"""Errors as RFC 9457 problem documents, from every layer, without input echoed and without stack traces."""

import logging
import math
import random
from collections.abc import Callable, Mapping
from typing import Any

from fastapi import FastAPI, Request, status
from fastapi.exceptions import RequestValidationError
from fastapi.responses import JSONResponse, Response
from sqlalchemy.exc import DBAPIError, InterfaceError, OperationalError
from sqlalchemy.exc import TimeoutError as PoolTimeoutError
from starlette.exceptions import HTTPException
from starlette.types import Receive, Scope, Send

from mixlaws.errors import MixlawsError
from service import request_ids
from service.allowed_methods import allowed_methods
from service.errors import ServiceError, UnavailableError
from service.problem_catalogue import PAGE
from service.refusals import code_of, extra_of
from service.transactions import connection_lost, sqlstate

_log = logging.getLogger("service")

MEDIA_TYPE = "application/problem+json"
SCHEMA = {"$ref": "#/components/schemas/Problem"}
PROBLEM_CODE = "mixwright.problem_code"  # where in the scope the code of a refusal is
RETRY_SECONDS = 2
DATABASE_AWAY = (PoolTimeoutError, OperationalError, InterfaceError)
# What a caller can do is in all these cases to try again; what an operator can do is told by the words.
_AWAY = "database_unavailable", "the database did not answer: try again"
_BUSY = (
    "database_busy",
    "the database is busy, or another session holds what this request needs: try again",
)
_FULL = "database_full", "the disk of the database is full or fails: try again once it has room"
_DATABASE_SAYS = {
    "25006": ("database_read_only", "the database takes no writes at the moment: try again"),
    "42501": (
        "database_forbids",
        "the service's role in the database lacks a permission: try again once it is granted",
    ),
    "40001": _BUSY,
    "40P01": _BUSY,
    "55P03": _BUSY,  # a lock was waited for too long
    "57014": _BUSY,  # a statement took too long
    "53100": _FULL,
    "58030": _FULL,  # input or output failed
}
_TITLES = {400: "Bad request", 404: "Not found", 405: "Method not allowed", 413: "Body too large"}
# The framework's own words, and what a caller can do about it.
_REMEDIES = {
    "Not Found": "nothing is at this address: /openapi.json lists what there is",
    "Method Not Allowed": "this address does not take this method: the header Allow lists those it takes",
    "There was an error parsing the body": "the body cannot be read as JSON: it is not UTF-8, nests too "
    "deeply, or holds a number of too many digits",
}
# What a caller sent comes back in the words of an error, and may be as long as a body.
_LONGEST = 1000
_MOST_ERRORS = 20


ShowProblem = Callable[[Scope, Mapping[str, Any]], Response | None]


def _show_none(_: Scope, __: Mapping[str, Any]) -> None:
    """Without pages every problem is a document."""


class ProblemResponse(JSONResponse):
    """A problem document, or a page that tells it to people where a browser asked for a page.

    Every refusal and failure is one, from whichever layer: its code is left in the request's scope, for
    whoever counts them there.
    """

    media_type = MEDIA_TYPE

    def __init__(self, document: Mapping[str, Any], headers: Mapping[str, str] | None = None) -> None:
        super().__init__(dict(document), status_code=document["status"], headers=dict(headers or {}))
        self.code: str = document["code"]
        self._document, self._more = document, dict(headers or {})

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer, and leave the code behind for what counts refusals."""
        scope[PROBLEM_CODE] = self.code
        show: ShowProblem = getattr(scope["app"].state, "show_problem", _show_none)
        page = show(scope, self._document)
        if page is not None:
            page.headers.update(self._more)
            await page(scope, receive, send)
            return
        await super().__call__(scope, receive, send)


def problem(
    status: int, code: str, title: str, detail: str, *, extra: Mapping[str, Any] | None = None
) -> dict[str, Any]:
    """Members of a problem document; `request_id` is what to name when asking for help."""
    return {
        "type": f"{PAGE}#{code}",
        "title": title,
        "status": status,
        "code": code,
        "detail": shortened(detail),
        "request_id": request_ids.current(),
        **(extra or {}),
    }


def response(document: Mapping[str, Any], *, headers: Mapping[str, str] | None = None) -> ProblemResponse:
    """The HTTP answer of a problem document."""
    return ProblemResponse(document, headers)


def errors(*kinds: type[ServiceError]) -> dict[int | str, dict[str, Any]]:
    """OpenAPI entries for the errors of an operation."""
    content = {MEDIA_TYPE: {"schema": SCHEMA}}
    return {kind.status: {"description": kind.title, "content": content} for kind in kinds}


def install(app: FastAPI) -> None:
    """Register the handlers."""
    for kind, handler in _handlers().items():
        app.add_exception_handler(kind, handler)


def answer_to(request: Request, error: Exception) -> Response:
    """What an error is answered with, for those who answer without the framework."""
    handlers = _handlers()
    handler = next(handlers[kind] for kind in type(error).__mro__ if kind in handlers)
    return handler(request, error)


def _handlers() -> dict[type[Exception], Callable[[Request, Any], Response]]:
    return {
        ServiceError: service_error,
        MixlawsError: _mixlaws_error,
        RequestValidationError: _validation_error,
        HTTPException: http_error,
        DBAPIError: _database_error,
        Exception: _unexpected,
        **dict.fromkeys(DATABASE_AWAY, _database_away),
    }


def refused(error: ServiceError) -> ProblemResponse:
    """The answer to a refusal of ours, from wherever it comes."""
    document = problem(error.status, error.code, error.title, error.detail, extra=error.extra)
    soon = error.retry_seconds is not None or error.status == UnavailableError.status
    return response(document, headers=_later(error.retry_seconds) if soon else None)


def service_error(_: Request, error: ServiceError) -> Response:
    """A refusal of ours."""
    return refused(error)


def _mixlaws_error(_: Request, error: MixlawsError) -> Response:
    # The library names what is wrong and the remedy; here it only gets its status.
    return response(problem(422, code_of(error), "Invalid request", str(error), extra=extra_of(error)))


def _validation_error(_: Request, error: RequestValidationError) -> Response:
    # The offending input is left out on purpose: it may hold NaN, which no JSON encoder takes, or a secret.
    found = error.errors()
    items = [_told(item) for item in found[:_MOST_ERRORS]]
    first = items[0] if items else {"loc": "body", "msg": "unreadable"}
    detail = f"{first['loc']}: {first['msg']}" + (f" (and {len(found) - 1} more)" if len(found) > 1 else "")
    return response(problem(422, "invalid_request", "Invalid request", detail, extra={"errors": items}))


def _told(item: Mapping[str, Any]) -> dict[str, str]:
    """One error of the framework: where, what, and what to do where its own words do not say."""
    place, words = list(item["loc"]), item["msg"]
    if item["type"] == "json_invalid":
        words = f"no valid JSON at character {place.pop()}: {item['ctx']['error']}"
    where = ".".join(str(part) for part in place)
    return {"loc": shortened(where), "msg": shortened(words), "type": item["type"]}


def _later(seconds: float | None = None) -> dict[str, str]:
    """When to ask again; callers that were refused together must not come back together."""
    chosen = random.uniform(1, 3) * RETRY_SECONDS if seconds is None else seconds  # noqa: S311
    return {"Retry-After": str(math.ceil(chosen))}


def shortened(words: str) -> str:
    """Words that may quote what a caller sent, cut where they are longer than anybody reads."""
    return words if len(words) <= _LONGEST else f"{words[:_LONGEST]}..."


def http_error(request: Request, error: HTTPException) -> Response:
    """A refusal of the framework, such as an unknown path."""
    headers = dict(error.headers or {})
    if error.status_code == status.HTTP_405_METHOD_NOT_ALLOWED:
        headers["Allow"] = allowed_methods(request.app, request.scope)
    title = _TITLES.get(error.status_code, "Error")
    code = title.lower().replace(" ", "_")
    detail = _REMEDIES.get(str(error.detail), str(error.detail))
    return response(problem(error.status_code, code, title, detail), headers=headers)


def database_away(error: Exception) -> Response:
    """What is answered while the database cannot serve: a client tries again."""
    state = sqlstate(error)
    waited = _BUSY if isinstance(error, PoolTimeoutError) else _AWAY
    code, detail = _DATABASE_SAYS.get(state or "", waited)
    _log.error("%s: %s %s", detail, type(error).__name__, state or "")
    return response(problem(503, code, "Unavailable", detail), headers=_later())


def _database_away(_: Request, error: Exception) -> Response:
    return database_away(error)


def _database_error(request: Request, error: DBAPIError) -> Response:
    if sqlstate(error) in _DATABASE_SAYS or connection_lost(error):
        return database_away(error)
    return _unexpected(request, error)


def _unexpected(_: Request, error: Exception) -> Response:
    document = problem(500, "internal_error", "Internal error", "an unexpected error; it is in the log")
    _log.error("request %s failed", document["request_id"], exc_info=error)
    return response(document)
