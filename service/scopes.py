"""Scopes: what a key may do. Every route names the one that it needs."""

from dataclasses import dataclass
from enum import StrEnum
from typing import Any
from uuid import UUID

from fastapi import Request, Security

from service.errors import ForbiddenError


class Scope(StrEnum):
    """A permission of a key."""

    STUDIES_READ = "studies:read"
    STUDIES_WRITE = "studies:write"
    RUNS_WORK = "runs:work"
    JOBS_READ = "jobs:read"
    JOBS_WRITE = "jobs:write"
    JOBS_FOLLOW = "jobs:follow"
    KEYS_ADMIN = "keys:admin"


EVERY_SCOPE = tuple(Scope)
# What a training machine needs, and no more.
WORKER_SCOPES = (Scope.RUNS_WORK, Scope.JOBS_READ, Scope.JOBS_FOLLOW)


@dataclass(frozen=True)
class Principal:
    """Who is calling: the project and the permissions of a key or a browser session.

    Args:
        project_id: whose it is.
        scopes: its permissions.
        name: for people.
        credential: which key or session it is; nothing secret.
    """

    project_id: UUID
    scopes: frozenset[str]
    name: str
    credential: str

    def require(self, scope: Scope) -> None:
        """Check a permission.

        Raises:
            ForbiddenError: the key lacks it; the detail names it.
        """
        if scope not in self.scopes:
            raise ForbiddenError(f"this key lacks the scope {scope.value!r}: use a key that has it")


class Needs:
    """A dependency that requires a scope and gives the caller. Its presence on a route is tested."""

    def __init__(self, scope: Scope) -> None:
        self.scope = scope

    # Async, so that it costs no trip to the thread pool.
    async def __call__(self, request: Request) -> Principal:
        """The caller, if it has the scope."""
        principal: Principal = request.scope["principal"]
        principal.require(self.scope)
        return principal


def needs(scope: Scope) -> Any:
    """Annotate the caller of an endpoint with the scope that it must have."""
    return Security(Needs(scope))
