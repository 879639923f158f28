"""Scopes: what a key may do. Every route names the one that it needs."""

import math
from contextvars import ContextVar
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
    METRICS_READ = "metrics:read"
    AUDIT_READ = "audit:read"
    PROJECTS_ADMIN = "projects:admin"


EVERY_SCOPE = tuple(Scope)
# What whoever runs one project needs: all but what concerns projects of others.
PROJECT_SCOPES = tuple(scope for scope in Scope if scope not in {Scope.PROJECTS_ADMIN, Scope.METRICS_READ})
# What a training machine needs, and no more.
WORKER_SCOPES = (Scope.RUNS_WORK, Scope.JOBS_READ, Scope.JOBS_FOLLOW)


@dataclass(frozen=True)
class Principal:
    """Who is calling: the project and the permissions of a key or a browser session.

    Args:
        project_id: whose objects the caller sees.
        scopes: what the caller may do.
        name: what audit trails call it.
        key_id: the key that is shown, or that opened the session; None for one that a link opened.
        session_id: the browser session, if it is one.
        seconds_left: how long it was still good when it was looked up, by the database's clock.
    """

    project_id: UUID
    scopes: frozenset[str]
    name: str
    key_id: UUID | None = None
    session_id: UUID | None = None
    seconds_left: float = math.inf

    @property
    def id(self) -> UUID:
        """The session, where there is one, else the key.

        Raises:
            ValueError: the caller shows neither, such as the command line.
        """
        found = self.session_id or self.key_id
        if found is None:
            raise ValueError(f"{self.name} shows neither a key nor a session")
        return found

    def require(self, scope: str) -> None:
        """Check a permission.

        Raises:
            ForbiddenError: the key lacks it; the detail names it.
        """
        if scope not in self.scopes:
            raise ForbiddenError(f"this key lacks the scope {str(scope)!r}: use a key that has it")


# Who makes the request that is being answered; None on addresses that need no caller.
current: ContextVar[Principal | None] = ContextVar("current", default=None)


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
