"""Documents of several kinds: made from the document of the API.

Renewed by `python -m tests.support.documents`.
"""

from __future__ import annotations

from typing import TypedDict


class _DomainBodyNeeds(TypedDict):
    """What every `DomainBody` holds."""

    name: str
    tokens: int


class DomainBody(_DomainBodyNeeds, total=False):
    """A domain with what may be read of it."""

    max_epochs: float | None


class _DomainSetRefNeeds(TypedDict):
    """What every `DomainSetRef` holds."""

    name: str


class DomainSetRef(_DomainSetRefNeeds, total=False):
    """A domain set that is taken over."""

    version: int | None


class EndIn(TypedDict):
    """Why something is ended or taken out."""

    reason: str


class NewKeyOut(TypedDict):
    """A key on the one occasion on which its secret is told."""

    id: str
    name: str
    public_part: str
    scopes: list[str]
    created_at: str
    expires_at: str | None
    revoked_at: str | None
    last_used_at: str | None
    replaces_id: str | None
    key: str


class ScaleOut(TypedDict):
    """The scale that predictions hold for; null where runs do not tell."""

    model_parameters: float | None
    tokens: float | None
