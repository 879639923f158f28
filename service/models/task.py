"""What all background work has in common: where it is, how far, who has it, and how it ended."""

import uuid
from enum import StrEnum

from sqlalchemy import DateTime, func
from sqlalchemy.orm import Mapped, mapped_column

from service.models.base import Moment, one_of


class TaskState(StrEnum):
    """Where background work is."""

    QUEUED = "queued"
    RUNNING = "running"
    DONE = "done"
    FAILED = "failed"
    CANCELLED = "cancelled"

    @property
    def ended(self) -> bool:
        """Whether nobody works on it any more, nor will unless it is asked for again."""
        return self not in {TaskState.QUEUED, TaskState.RUNNING}


class TaskColumns:
    """Columns of a row that a task works on.

    `lease` is of the try that runs now: whoever holds another one has lost the row, and must not write.
    `tries` counts starts that were not handed back. `error` and `error_code` say why the last try failed,
    also while the row waits for the next one. Defaults of the server serve processes of the version before,
    which go on while an upgrade rolls.
    """

    state: Mapped[TaskState] = mapped_column(one_of(TaskState))
    lease: Mapped[uuid.UUID | None]
    tries: Mapped[int] = mapped_column(default=0, server_default="0")
    stage: Mapped[str] = mapped_column(default="", server_default="")
    progress: Mapped[float] = mapped_column(default=0.0, server_default="0")
    error: Mapped[str | None]
    error_code: Mapped[str | None]
    asked_at: Mapped[Moment] = mapped_column(DateTime(timezone=True), server_default=func.clock_timestamp())
    started_at: Mapped[Moment | None]
    finished_at: Mapped[Moment | None]
