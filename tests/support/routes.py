"""Every address that the service answers, read off the application itself."""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any
from uuid import UUID

from fastapi.routing import iter_route_contexts

from service.app import create_app
from service.db import Database
from service.scopes import Needs, Scope
from service.settings import Settings

PUBLIC = {
    ("GET", "/livez"),
    ("GET", "/readyz"),
    ("GET", "/login"),
    ("POST", "/login"),
    ("GET", "/static/plotly.min.js"),
    ("GET", "/static/{file}"),
}
# What anybody who is known may do, whatever the key is for.
WITHOUT_SCOPE = {
    ("GET", "/openapi.json"),
    ("HEAD", "/openapi.json"),
    ("POST", "/logout"),
    ("GET", "/problems"),
}


@dataclass(frozen=True)
class Address:
    """A method and a path of the service, with the scopes that its route names.

    Args:
        method: of HTTP.
        path: with its parameters in braces.
        scopes: that the route asks for.
        takes_body: whether it reads a JSON body.
        queries: names that its query may hold.
    """

    method: str
    path: str
    scopes: tuple[Scope, ...]
    takes_body: bool = False
    queries: tuple[str, ...] = ()

    @property
    def name(self) -> tuple[str, str]:
        """What tells it from others."""
        return self.method, self.path

    @property
    def parameters(self) -> list[str]:
        """Names of what its path leaves open."""
        return [part[1:-1] for part in self.path.split("/") if part.startswith("{")]

    @property
    def url(self) -> str:
        """The path, of things that do not exist."""
        parts = (str(UUID(int=0)) if part.endswith("_id}") else part for part in self.path.split("/"))
        return "/".join("nothing" if part.startswith("{") else part for part in parts)


def inventory() -> Iterator[Address]:
    """Every address of the application. No database is needed to ask it."""
    app = create_app(Settings(), Database("postgresql://nobody@localhost/none"))
    for route in iter_route_contexts(app.routes):
        assert route.path is not None
        if route.methods is None:  # a folder of files
            yield Address("GET", f"{route.path}/{{file}}", ())
            continue
        dependant = getattr(route, "dependant", None)
        needed = (
            [d.call.scope for d in dependant.dependencies if isinstance(d.call, Needs)] if dependant else []
        )
        body = bool(dependant and dependant.body_params)
        for method in sorted(route.methods):
            yield Address(method, route.path, tuple(needed), body, tuple(_queries(dependant)))


def _queries(dependant: Any) -> Iterator[str]:
    """Names of the query, those of whatever a route depends on among them."""
    if dependant is None:
        return
    for parameter in dependant.query_params:
        fields = getattr(parameter.field_info.annotation, "model_fields", None)
        yield from fields or [parameter.alias]
    for inner in dependant.dependencies:
        yield from _queries(inner)
