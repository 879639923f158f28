"""Bodies of the audit trail."""

from datetime import datetime
from typing import Any
from uuid import UUID

from pydantic import Field

from service.schemas import Answer


class AuditEntryOut(Answer):
    """One thing that somebody did in the project."""

    id: str = Field(description="Identifier of the entry.")
    at: datetime = Field(description="When.")
    kind: str = Field(description="What was done, such as `key.revoked`, `job.freeze` or `session.login`.")
    actor: str = Field(description="Who did it: `key` with the key's name, `dashboard`, `command line`.")
    key_id: UUID | None = Field(description="The key that was shown; null where the trail does not know.")
    subject: str = Field(description="Name of what it was done to.")
    reason: str = Field(description="Why; empty if nobody said.")
    details: dict[str, Any] = Field(description="What else is to be known of it.")
