"""Routes of the API: what they have in common, without a word in any endpoint.

Reads of what is stored carry ETags; writes that use it can be repeated under an Idempotency-Key.
"""

import typing
from collections.abc import Callable, Coroutine
from typing import Any

from fastapi import Depends, Request, Response, params, status
from fastapi.concurrency import run_in_threadpool
from fastapi.routing import APIRoute
from sqlalchemy.orm import Session

from service import idempotency, validators
from service.schemas import Answer
from service.scopes import Needs

_NOT_MODIFIED = {"description": "What you hold, by `If-None-Match`, still stands."}
Handler = Callable[[Request], Coroutine[Any, Any, Response]]


def already(model: type[Answer]) -> dict[int | str, dict[str, Any]]:
    """OpenAPI entry of a creation that answers 200 where nothing is new."""
    return {status.HTTP_200_OK: {"model": model, "description": "What is there already: nothing is new."}}


class Route(APIRoute):
    """A route of the API."""

    def __init__(self, path: str, endpoint: Callable[..., Any], **options: Any) -> None:
        methods, stored = set(options.get("methods") or ()), _uses_database(endpoint)
        self.validated = methods == {"GET"} and (stored or _answers(endpoint))
        self.repeatable = stored and methods == {"POST"} and not _only_reads(endpoint)
        before = list(options.get("dependencies") or ())
        if self.validated:
            before.append(Depends(validators.declared))
            described = {status.HTTP_304_NOT_MODIFIED: _NOT_MODIFIED}
            options["responses"] = {**described, **(options.get("responses") or {})}
        if self.repeatable:
            before.append(Depends(idempotency.begin, scope="function"))
        super().__init__(path, endpoint, **{**options, "dependencies": before})

    def get_route_handler(self) -> Handler:
        """The handler, with what is common before and after it."""
        handle, model = super().get_route_handler(), typing.get_type_hints(self.endpoint).get("return")

        async def repeatable(request: Request) -> Response:
            try:
                response = await handle(request)
            except idempotency.ReplayError as replay:
                return replay.response
            if idempotency.keeps(request):
                # The session of the request is still open: it commits after this.
                await run_in_threadpool(idempotency.keep, request, response, model)
            return response

        async def validated(request: Request) -> Response:
            return validators.validated(request, await handle(request))

        return repeatable if self.repeatable else validated if self.validated else handle


def _uses_database(endpoint: Callable[..., Any]) -> bool:
    return Session in typing.get_type_hints(endpoint).values()


def _answers(endpoint: Callable[..., Any]) -> bool:
    """Whether an endpoint gives its answer to the framework, which writes it."""
    model = typing.get_type_hints(endpoint).get("return")
    return isinstance(model, type) and issubclass(model, Answer)


def _only_reads(endpoint: Callable[..., Any]) -> bool:
    """Whether the scope that an endpoint needs is one to read."""
    found = [
        part.dependency.scope
        for kind in typing.get_type_hints(endpoint, include_extras=True).values()
        for part in getattr(kind, "__metadata__", ())
        if isinstance(part, params.Depends) and isinstance(part.dependency, Needs)
    ]
    return all(scope.endswith(":read") for scope in found)
