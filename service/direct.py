"""Routes that are answered without the framework in between: those that thousands of trainers ask all day.

They are declared like all others, and the declaration is the only truth: path, parameters and scope of a
route are read from it once, as the document and the inventory of addresses read them, and each request
then costs a match, a look at a few headers and the call. What is not plain is left to the framework.
"""

import re
from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass
from typing import Any

from fastapi import FastAPI, Request
from fastapi.routing import RouteContext, iter_route_contexts
from starlette.routing import compile_path
from starlette.types import ASGIApp, Receive, Send
from starlette.types import Scope as Connection

from service.scopes import Needs, Principal, Scope


@dataclass(frozen=True)
class _Route:
    """A declaration, as a request is answered by it.

    Args:
        endpoint: returns an ASGI application that answers.
        template: path with the names of its parts.
        pattern: the same as an expression.
        headers: names of headers, each with that of the argument that it is.
        needed: what the caller's key must allow.
        caller: name of the argument that is the caller.
        request: name of the argument that is the request.
    """

    endpoint: Callable[..., Any]
    template: str
    pattern: re.Pattern[str]
    headers: tuple[tuple[str, str], ...]
    needed: Scope
    caller: str
    request: str


class DirectRoutes:
    """Some routes of an application.

    Args:
        app: where they are declared, as GET.
        endpoints: their functions: async, with parts of the path, optional headers, the caller and the
            request as arguments; what they return is an ASGI application, whose headers are complete.
    """

    def __init__(self, app: FastAPI, endpoints: Collection[Callable[..., Any]]) -> None:
        self._app = app
        self._routes = [
            _read(route) for route in iter_route_contexts(app.routes) if route.endpoint in endpoints
        ]

    def find(self, scope: Connection) -> tuple[_Route, dict[str, Any]] | None:
        """The route that answers a request, with what its path says; None leaves it to the framework."""
        if scope["method"] != "GET":
            return None
        path, root = scope["path"], scope.get("root_path", "")
        path = path.removeprefix(root) if root else path
        for route in self._routes:
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
        answer: ASGIApp = await route.endpoint(**arguments)
        await answer(scope, receive, send)


def _read(route: RouteContext) -> _Route:
    declared = route.dependant
    ((needs, caller),) = [(d.call, d.name) for d in declared.dependencies if isinstance(d.call, Needs)]
    if route.path is None or route.methods != {"GET"} or declared.query_params or declared.body_params:
        raise TypeError(f"{route.path} cannot be answered directly: it is no GET of path and headers alone")
    return _Route(
        endpoint=declared.call,
        template=route.path,
        pattern=compile_path(route.path)[0],
        headers=tuple((param.alias, param.name) for param in declared.header_params),
        needed=needs.scope,
        caller=caller,
        request=declared.request_param_name,
    )
