"""Documents about projects: made from the document of the API.

Renewed by `python -m tests.support.documents`.
"""

from __future__ import annotations

from typing import TypedDict

from mixclient.documents.shared import NewKeyOut


class NewProjectOut(TypedDict):
    """A project with its first key."""

    id: str
    name: str
    created_at: str
    first_key: NewKeyOut


class _ProjectChangeNeeds(TypedDict):
    """What every `ProjectChange` holds."""

    name: str


class ProjectChange(_ProjectChangeNeeds, total=False):
    """What to change of a project."""

    reason: str


class ProjectIn(TypedDict):
    """A project to make."""

    name: str


class ProjectOut(TypedDict):
    """A project."""

    id: str
    name: str
    created_at: str
