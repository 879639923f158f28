"""Documents about keys: made from the document of the API.

Renewed by `python -m tests.support.documents`.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Literal, TypedDict


class _KeyInNeeds(TypedDict):
    """What every `KeyIn` holds."""

    name: str
    scopes: Sequence[Scope]


class KeyIn(_KeyInNeeds, total=False):
    """A request for a key."""

    days: int | None


class KeyOut(TypedDict):
    """A key without its secret."""

    id: str
    name: str
    public_part: str
    scopes: list[str]
    created_at: str
    expires_at: str | None
    revoked_at: str | None
    last_used_at: str | None
    replaces_id: str | None


class RotationIn(TypedDict, total=False):
    """How a key is replaced."""

    overlap_seconds: int
    days: int | None
    reason: str


Scope = Literal[
    "studies:read",
    "studies:write",
    "runs:work",
    "jobs:read",
    "jobs:write",
    "jobs:follow",
    "keys:admin",
    "metrics:read",
    "audit:read",
    "projects:admin",
]
