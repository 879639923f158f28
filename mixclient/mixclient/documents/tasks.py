"""Documents about tasks: made from the document of the API.

Renewed by `python -m tests.support.documents`.
"""

from __future__ import annotations

from typing import Literal, TypedDict


class TaskOut(TypedDict):
    """Work in the background."""

    state: str
    stage: str
    progress: float
    tries: int
    error: str | None
    error_code: str | None
    id: str
    kind: str
    subject: str
    href: str
    asked_at: str
    started_at: str | None
    age_seconds: float


TaskState = Literal["queued", "running", "done", "failed", "cancelled"]
