"""Errors as RFC 9457 problem documents, from every layer, without input echoed and without stack traces."""

import logging
import uuid
from collections.abc import Callable, Mapping
from typing import Any

from fastapi import FastAPI, Request
from fastapi.exceptions import RequestValidationError
from fastapi.responses import JSONResponse, Response
from sqlalchemy.exc import DBAPIError, InterfaceError, OperationalError
from sqlalchemy.exc import TimeoutError as PoolTimeoutError
from starlette.exceptions import HTTPException
from starlette.types import Receive, Scope, Send

from mixlaws.errors import MixlawsError
from service.errors import ServiceError, UnavailableError, code_of

_log = logging.getLogger("service")

MEDIA_TYPE = "application/problem+json"
SCHEMA = {"$ref": "#/components/schemas/Problem"}
PROBLEM_CODE = "mixwright.problem_code"  # where in the scope the code of a refusal is
RETRY_SECONDS = 2
_LATER = {"Retry-After": str(RETRY_SECONDS)}
DATABASE_AWAY = (PoolTimeoutError, OperationalError, InterfaceError)
_READ_ONLY = "25006"  # SQLSTATE of a server that is a standby, or that an operator holds
_TITLES = {400: "Bad request", 404: "Not found", 405: "Method not allowed", 413: "Body too large"}
# The framework's own words, and what a caller can do about it.
_REMEDIES = {
    "Not Found": "nothing is at this address: /openapi.json lists what there is",
    "Method Not Allowed": "this address does not take this method: /openapi.json lists those it takes",
}
# What a caller sent comes back in the words of an error, and may be as long as a body.
_LONGEST = 1000
_MOST_ERRORS = 20


class ProblemResponse(JSONResponse):
    """A problem document.

    Every refusal and failure is one, from whichever layer: its code is left in the request's scope, for
    whoever counts them there.
    """

    media_type = MEDIA_TYPE

    def __init__(self, document: Mapping[str, Any], headers: Mapping[str, str]) -> None:
        super().__init__(dict(document), status_code=document["status"], headers=dict(headers))
        self.code: str = document["code"]

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer, and leave the code behind."""
        scope[PROBLEM_CODE] = self.code
        await super().__call__(scope, receive, send)


def problem(
    status: int, code: str, title: str, detail: str, *, extra: Mapping[str, Any] | None = None
) -> dict[str, Any]:
    """Members of a problem document; `request_id` is what to name when asking for help."""
    return {
        "type": f"urn:mixwright:problem:{code}",
        "title": title,
        "status": status,
        "code": code,
        "detail": shortened(detail),
        "request_id": uuid.uuid4().hex,
        **(extra or {}),
    }


def response(document: Mapping[str, Any], *, headers: Mapping[str, str] | None = None) -> ProblemResponse:
    """The HTTP answer of a problem document."""
    return ProblemResponse(document, headers or {})


def errors(*kinds: type[ServiceError]) -> dict[int | str, dict[str, Any]]:
    """OpenAPI entries for the errors of an operation."""
    content = {MEDIA_TYPE: {"schema": SCHEMA}}
    return {kind.status: {"description": kind.title, "content": content} for kind in kinds}


def install(app: FastAPI) -> None:
    """Register the handlers."""
    handlers: dict[type[Exception], Callable[[Request, Any], Response]] = {
        ServiceError: service_error,
        MixlawsError: _mixlaws_error,
        RequestValidationError: _validation_error,
        HTTPException: http_error,
        DBAPIError: _database_error,
        Exception: _unexpected,
        **dict.fromkeys(DATABASE_AWAY, _database_away),
    }
    for kind, handler in handlers.items():
        app.add_exception_handler(kind, handler)


def refused(error: ServiceError) -> ProblemResponse:
    """The answer to a refusal of ours, from wherever it comes."""
    seconds = error.retry_seconds
    if seconds is None and error.status == UnavailableError.status:
        seconds = RETRY_SECONDS
    document = problem(error.status, error.code, error.title, error.detail, extra=error.extra)
    return response(document, headers=None if seconds is None else {"Retry-After": str(seconds)})


def service_error(_: Request, error: ServiceError) -> Response:
    """A refusal of ours."""
    return refused(error)


def _mixlaws_error(_: Request, error: MixlawsError) -> Response:
    # The library names what is wrong and the remedy; here it only gets its status.
    return response(problem(422, code_of(error), "Invalid request", str(error)))


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


def shortened(words: str) -> str:
    """Words that may quote what a caller sent, cut where they are longer than anybody reads."""
    return words if len(words) <= _LONGEST else f"{words[:_LONGEST]}..."


def http_error(_: Request, error: HTTPException) -> Response:
    """A refusal of the framework, such as an unknown path."""
    title = _TITLES.get(error.status_code, "Error")
    code = title.lower().replace(" ", "_")
    detail = _REMEDIES.get(str(error.detail), str(error.detail))
    return response(problem(error.status_code, code, title, detail), headers=error.headers or {})


def database_away(error: Exception) -> Response:
    """What is answered while the database is not there: a client tries again."""
    _log.error("the database did not answer: %s", type(error).__name__)
    document = problem(503, "database_unavailable", "Unavailable", "the database did not answer: try again")
    return response(document, headers=_LATER)


def _database_away(_: Request, error: Exception) -> Response:
    return database_away(error)


def _database_error(request: Request, error: DBAPIError) -> Response:
    if getattr(error.orig, "sqlstate", None) != _READ_ONLY:
        return _unexpected(request, error)
    _log.error("the database takes no writes")
    document = problem(
        503, "database_read_only", "Unavailable", "the database takes no writes at the moment: try again"
    )
    return response(document, headers=_LATER)


def _unexpected(_: Request, error: Exception) -> Response:
    document = problem(500, "internal_error", "Internal error", "an unexpected error; it is in the log")
    _log.error("request %s failed", document["request_id"], exc_info=error)
    return response(document)
