"""Documents about studies: made from the document of the API.

Renewed by `python -m tests.support.documents`.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TypedDict

from mixclient.documents.shared import DomainBody, DomainSetRef


class DomainSetIn(TypedDict):
    """A domain set, or another version of one."""

    name: str
    domains: Sequence[DomainBody]


class DomainSetOut(TypedDict):
    """One version of a domain set; it never changes."""

    name: str
    version: int
    domains: list[DomainBody]
    created_at: str


class _StudyInNeeds(TypedDict):
    """What every `StudyIn` holds."""

    name: str


class StudyIn(_StudyInNeeds, total=False):
    """A study to create. What is left out is filled in, and shown in the answer."""

    domains: Sequence[DomainBody]
    domain_set: DomainSetRef | None
    targets: Sequence[str] | None
    objective: Mapping[str, float] | None
    prior: Mapping[str, float] | None
    lower: Mapping[str, float]
    upper: Mapping[str, float]
    final_tokens: int | None
    notes: str


class StudyNotes(TypedDict):
    """What people wrote about a study."""

    notes: str


class StudyOut(TypedDict):
    """A study."""

    id: str
    name: str
    definition: StudyIn
    runs: dict[str, int] | None
    created_at: str
