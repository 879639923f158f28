"""Errors as RFC 9457 problem documents, from every layer, without input echoed and without stack traces."""

import json
import logging
import uuid
from collections.abc import Callable, Mapping
from typing import Any

from fastapi import FastAPI, Request
from fastapi.exceptions import RequestValidationError
from fastapi.responses import JSONResponse, Response
from sqlalchemy.exc import InterfaceError, OperationalError
from sqlalchemy.exc import TimeoutError as PoolTimeoutError
from starlette.exceptions import HTTPException

from mixlaws.errors import MixlawsError
from service.errors import ServiceError

_log = logging.getLogger("service")

MEDIA_TYPE = "application/problem+json"
_TITLES = {400: "Bad request", 404: "Not found", 405: "Method not allowed", 413: "Body too large"}
RETRY_SECONDS = 2


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
        "detail": detail,
        "request_id": uuid.uuid4().hex,
        **(extra or {}),
    }


def response(document: Mapping[str, Any], *, headers: Mapping[str, str] | None = None) -> ProblemResponse:
    """The HTTP answer of a problem document."""
    return ProblemResponse(dict(document), status_code=document["status"], headers=dict(headers or {}))


def body_bytes(document: Mapping[str, Any]) -> bytes:
    """The document as bytes, for layers that answer without a framework."""
    return json.dumps(document).encode()


def errors(*kinds: type[ServiceError]) -> dict[int | str, dict[str, Any]]:
    """OpenAPI entries for the errors of an operation."""
    return {kind.status: {"description": kind.title, "content": {MEDIA_TYPE: {}}} for kind in kinds}


def install(app: FastAPI) -> None:
    """Register the handlers."""
    handlers: dict[type[Exception], Callable[[Request, Any], Response]] = {
        ServiceError: service_error,
        MixlawsError: _mixlaws_error,
        RequestValidationError: _validation_error,
        HTTPException: http_error,
        PoolTimeoutError: _database_away,
        OperationalError: _database_away,
        InterfaceError: _database_away,
        Exception: _unexpected,
    }
    for kind, handler in handlers.items():
        app.add_exception_handler(kind, handler)


def service_error(_: Request, error: ServiceError) -> Response:
    """A refusal of ours."""
    return response(problem(error.status, error.code, error.title, error.detail, extra=error.extra))


def _mixlaws_error(_: Request, error: MixlawsError) -> Response:
    # The library names what is wrong and the remedy; here it only gets its status.
    code = type(error).__name__.removesuffix("Error")
    snake = "".join(f"_{c.lower()}" if c.isupper() else c for c in code).strip("_")
    return response(problem(422, snake, "Invalid request", str(error)))


def _validation_error(_: Request, error: RequestValidationError) -> Response:
    # The offending input is left out on purpose: it may hold NaN, which no JSON encoder takes, or a secret.
    items = [
        {"loc": ".".join(str(part) for part in item["loc"]), "msg": item["msg"], "type": item["type"]}
        for item in error.errors()
    ]
    first = items[0] if items else {"loc": "body", "msg": "unreadable"}
    detail = f"{first['loc']}: {first['msg']}" + (f" (and {len(items) - 1} more)" if len(items) > 1 else "")
    return response(problem(422, "invalid_request", "Invalid request", detail, extra={"errors": items}))


def http_error(_: Request, error: HTTPException) -> Response:
    """A refusal of the framework, such as an unknown path."""
    title = _TITLES.get(error.status_code, "Error")
    code = title.lower().replace(" ", "_")
    return response(problem(error.status_code, code, title, str(error.detail)), headers=error.headers or {})


def _database_away(_: Request, error: Exception) -> Response:
    _log.error("the database did not answer: %s", type(error).__name__)
    document = problem(503, "database_unavailable", "Unavailable", "the database did not answer: try again")
    return response(document, headers={"Retry-After": str(RETRY_SECONDS)})


def _unexpected(_: Request, error: Exception) -> Response:
    document = problem(500, "internal_error", "Internal error", "an unexpected error; it is in the log")
    _log.error("request %s failed", document["request_id"], exc_info=error)
    return response(document)
