"""The methods that an address takes, over all routes of its path: the framework knows those of one route."""

from fastapi import FastAPI
from fastapi.routing import iter_route_contexts
from starlette.routing import Match
from starlette.types import Scope

_OF_FILES = {"GET", "HEAD"}  # routes of folders do not say


def allowed_methods(app: FastAPI, scope: Scope) -> str:
    """The value of an `Allow` header."""
    found: set[str] = set()
    for route in iter_route_contexts(app.routes):
        if route.methods and route.matches(scope)[0] is not Match.NONE:
            found |= route.methods
    return ", ".join(sorted(found or _OF_FILES))
