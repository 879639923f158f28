"""Documents about audit: made from the document of the API.

Renewed by `python -m tests.support.documents`.
"""

from __future__ import annotations

from typing import Any, TypedDict


class AuditEntryOut(TypedDict):
    """One thing that somebody did in the project."""

    id: str
    at: str
    kind: str
    actor: str
    key_id: str | None
    subject: str
    reason: str
    details: dict[str, Any]
