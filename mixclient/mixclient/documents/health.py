"""Documents about health: made from the document of the API.

Renewed by `python -m tests.support.documents`.
"""

from __future__ import annotations

from typing import TypedDict


class HealthOut(TypedDict):
    """A sign of life."""

    status: str
