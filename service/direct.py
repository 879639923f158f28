"""Routes that are answered without the framework in between: those that thousands of trainers ask all day.

They are declared like all others, and the declaration is the only truth: path, parameters, body and scope of
a route are read from it once, as the document and the inventory of addresses read them, and each request
then costs a match, a look at a few headers and the call. What is not plain is left to the framework.
"""

import re
import typing
from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass
from typing import Any

from fastapi import FastAPI, Request
from fastapi.exceptions import RequestValidationError
from fastapi.routing import RouteContext, iter_route_contexts
from pydantic import TypeAdapter, ValidationError
from starlette.routing import compile_path
from starlette.types import ASGIApp, Receive, Send
from starlette.types import Scope as Connection

from service.errors import ServiceError
from service.limits.bodies import DOCUMENT
from service.problem_details import DATABASE_AWAY, answer_to
from service.schemas import Answer
from service.scopes import Needs, Principal, Scope
from service.stored_answers import JSON, StoredAnswer


@dataclass(frozen=True)
class _Route:
    """A declaration, as a request is answered by it.

    Args:
        endpoint: returns an ASGI application that answers, or the body of the answer.
        method: GET or POST.
        template: path with the names of its parts.
        pattern: the same as an expression.
        headers: names of headers, each with that of the argument that it is.
        needed: what the caller's key must allow.
        caller: name of the argument that is the caller.
        request: name of the argument that is the request.
        body: name of the argument that is the body, and what reads it.
    """

    endpoint: Callable[..., Any]
    method: str
    template: str
    pattern: re.Pattern[str]
    headers: tuple[tuple[str, str], ...]
    needed: Scope
    caller: str
    request: str
    body: tuple[str, TypeAdapter[Any]] | None


class DirectRoutes:
    """Some routes of an application.

    Args:
        app: where they are declared, as GET, or as POST with a body.
        endpoints: their functions: async, with parts of the path, optional headers, the caller, the request
            and at most one body as arguments. They return an ASGI application, whose headers are complete,
            or the body of an answer 200.
    """

    def __init__(self, app: FastAPI, endpoints: Collection[Callable[..., Any]]) -> None:
        self._app = app
        self._routes = [
            _read(route) for route in iter_route_contexts(app.routes) if route.endpoint in endpoints
        ]

    def find(self, scope: Connection) -> tuple[_Route, dict[str, Any]] | None:
        """The route that answers a request, with what its path says; None leaves it to the framework."""
        path, root = scope["path"], scope.get("root_path", "")
        path = path.removeprefix(root) if root else path
        for route in self._routes:
            if route.method != scope["method"]:
                continue
            match = route.pattern.fullmatch(path)
            if match is not None:
                return route, match.groupdict()
        return None

    async def answer(
        self,
        found: tuple[_Route, dict[str, Any]],
        headers: Mapping[str, str],
        scope: Connection,
        receive: Receive,
        send: Send,
    ) -> None:
        """Answer a request of a caller who is known.

        Raises:
            ServiceError: it is refused; no answer has begun.
            RequestValidationError: its body is not what the route takes.
        """
        route, arguments = found
        scope["template"] = route.template
        for name, argument in route.headers:
            if name in headers:
                arguments[argument] = headers[name]
        scope["app"] = self._app
        arguments[route.request] = Request(scope)
        caller: Principal = scope["principal"]
        arguments[route.caller] = caller
        caller.require(route.needed)
        if route.body is not None:
            name, adapter = route.body
            arguments[name] = _read_body(adapter, scope[DOCUMENT])
        answer: ASGIApp | Answer = await route.endpoint(**arguments)
        if isinstance(answer, Answer):
            answer = StoredAnswer(200, [JSON], answer.model_dump_json(by_alias=True).encode())
        await answer(scope, receive, send)


class DirectBodies:
    """Middleware in front of the framework: answers what has a body, once that was read.

    Args:
        app: the framework.
        routes: routes that are answered directly.
    """

    def __init__(self, app: ASGIApp, *, routes: DirectRoutes) -> None:
        self._app = app
        self._routes = routes

    async def __call__(self, scope: Connection, receive: Receive, send: Send) -> None:
        """Answer a request, or leave it to the framework, such as one whose body is no JSON."""
        found = self._routes.find(scope) if DOCUMENT in scope else None
        if found is None or found[0].body is None:
            await self._app(scope, receive, send)
            return
        try:
            await self._routes.answer(found, {}, scope, receive, send)
        except (ServiceError, RequestValidationError, *DATABASE_AWAY) as error:
            await answer_to(Request(scope), error)(scope, receive, send)


def _read_body(adapter: TypeAdapter[Any], document: Any) -> Any:
    try:
        return adapter.validate_python(document)
    except ValidationError as error:
        found = [{**item, "loc": ("body", *item["loc"])} for item in error.errors(include_url=False)]
        raise RequestValidationError(found) from None


def _read(route: RouteContext) -> _Route:
    declared = route.dependant
    ((needs, caller),) = [(d.call, d.name) for d in declared.dependencies if isinstance(d.call, Needs)]
    methods, bodies = route.methods or set(), [param.name for param in declared.body_params]
    usual = (methods == {"GET"} and not bodies) or (methods == {"POST"} and len(bodies) == 1)
    if route.path is None or not usual or declared.query_params or (bodies and declared.header_params):
        raise TypeError(f"{route.path} cannot be answered directly: it is no GET of path and headers alone, "
                        "and no POST of path and one body")  # fmt: skip
    hints = typing.get_type_hints(declared.call, include_extras=True)
    return _Route(
        endpoint=declared.call,
        method=next(iter(methods)),
        template=route.path,
        pattern=compile_path(route.path)[0],
        headers=tuple((param.alias, param.name) for param in declared.header_params),
        needed=needs.scope,
        caller=caller,
        request=declared.request_param_name,
        body=(bodies[0], TypeAdapter(hints[bodies[0]])) if bodies else None,
    )
