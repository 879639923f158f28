"""What is told of background work."""

from datetime import datetime
from typing import Any
from uuid import UUID

from pydantic import Field

from service.models.task import TaskColumns
from service.schemas import Answer


class TaskFields(Answer):
    """What all work in the background tells."""

    state: str = Field(description="queued, running, done, failed or cancelled.")
    stage: str = Field(description="What is computed now, in words; empty unless it is running.")
    progress: float = Field(description="Share that is done, 0 to 1, as of a second ago.")
    tries: int = Field(description="How often it was begun; what may pass is tried again by itself.")
    error: str | None = Field(description="Why it failed, or why the last try did.")
    error_code: str | None = Field(
        description="The same for programs: insufficient_data, deadline, out_of_memory, killed, worker_lost, "
        "unexpected, or the code of a refusal."
    )


class TaskOut(TaskFields):
    """Work in the background."""

    id: UUID = Field(description="Identifier of the fit, the proposal or the step.")
    kind: str = Field(description="fit, proposal or policy-step.")
    subject: str = Field(description="Name of its study, or of its job.")
    href: str = Field(description="Where to read more of it.")
    asked_at: datetime = Field(description="When it was asked for, or asked for again.")
    started_at: datetime | None = Field(description="When its last try began.")
    age_seconds: float = Field(description="How long ago it was asked for.")


def told(row: TaskColumns) -> dict[str, Any]:
    """The fields of a row that all work tells."""
    return {name: getattr(row, name) for name in TaskFields.model_fields} | {"state": row.state.value}
