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

from mixlaws.errors import MixlawsError
from service.errors import ServiceError, UnavailableError
from service.refusals import code_of, extra_of

_log = logging.getLogger("service")

MEDIA_TYPE = "application/problem+json"
SCHEMA = {"$ref": "#/components/schemas/Problem"}
RETRY_SECONDS = 2
_LATER = {"Retry-After": str(RETRY_SECONDS)}
DATABASE_AWAY = (PoolTimeoutError, OperationalError, InterfaceError)
_READ_ONLY = "25006"  # SQLSTATE of a server that is a standby, or that an operator holds
_TITLES = {400: "Bad request", 404: "Not found", 405: "Method not allowed", 413: "Body too large"}
# The framework's own words, and what a caller can do about it.
_REMEDIES = {
    "Not Found": "nothing is at this address: /openapi.json lists what there is",
    "Method Not Allowed": "this address does not take this method: /openapi.json lists those it takes",
    "There was an error parsing the body": "the body cannot be read as JSON: it is not UTF-8, nests too "
    "deeply, or holds a number of too many digits",
}
# What a caller sent comes back in the words of an error, and may be as long as a body.
_LONGEST = 1000
_MOST_ERRORS = 20


class ProblemResponse(JSONResponse):
    """A problem document."""

    media_type = MEDIA_TYPE


def problem(
    status: int, code: str, title: str, detail: str, *, extra: Mapping[str, Any] | None = None
) -> dict[str, Any]:
    """Members of a problem document; `request_id` is what to name when asking for help."""
    return {
        "type": f"urn:mixwright:problem:{code}",
        "title": title,
        "status": status,
        "code": code,
        "detail": _shortened(detail),
        "request_id": uuid.uuid4().hex,
        **(extra or {}),
    }


def response(document: Mapping[str, Any], *, headers: Mapping[str, str] | None = None) -> ProblemResponse:
    """The HTTP answer of a problem document."""
    return ProblemResponse(dict(document), status_code=document["status"], headers=dict(headers or {}))


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


def service_error(_: Request, error: ServiceError) -> Response:
    """A refusal of ours."""
    document = problem(error.status, error.code, error.title, error.detail, extra=error.extra)
    return response(document, headers=_LATER if error.status == UnavailableError.status else None)


def _mixlaws_error(_: Request, error: MixlawsError) -> Response:
    # The library names what is wrong and the remedy; here it only gets its status.
    return response(problem(422, code_of(error), "Invalid request", str(error), extra=extra_of(error)))


def _validation_error(_: Request, error: RequestValidationError) -> Response:
    # The offending input is left out on purpose: it may hold NaN, which no JSON encoder takes, or a secret.
    found = error.errors()
    items = [_told(item, error.body) for item in found[:_MOST_ERRORS]]
    first = items[0] if items else {"loc": "body", "msg": "unreadable"}
    detail = f"{first['loc']}: {first['msg']}" + (f" (and {len(found) - 1} more)" if len(found) > 1 else "")
    return response(problem(422, "invalid_request", "Invalid request", detail, extra={"errors": items}))


def _told(item: Mapping[str, Any], body: object) -> dict[str, str]:
    """One error of the framework: where, what, and what to do where its own words do not say."""
    place, words = list(item["loc"]), item["msg"]
    if item["type"] == "json_invalid":
        words = f"no valid JSON at character {place.pop()}: {item['ctx']['error']}"
    elif isinstance(body, bytes) and place == ["body"]:
        words = "not read as JSON: send it with the header 'Content-Type: application/json'"
    where = ".".join(str(part) for part in place)
    return {"loc": _shortened(where), "msg": _shortened(words), "type": item["type"]}


def _shortened(words: str) -> str:
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
