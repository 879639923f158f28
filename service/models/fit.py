"""Fits: a law or regressor fitted to the finished runs of a study."""

import uuid
from enum import StrEnum

from sqlalchemy import ForeignKey, UniqueConstraint
from sqlalchemy.dialects.postgresql import JSONB
from sqlalchemy.orm import Mapped, mapped_column

from service.models.base import Base, CreatedAt, Json, Moment, PrimaryId, one_of


class TaskState(StrEnum):
    """Where background work is."""

    QUEUED = "queued"
    RUNNING = "running"
    DONE = "done"
    FAILED = "failed"


class Fit(Base):
    """A fit, bound to the runs that it saw; one per study, data and configuration."""

    __tablename__ = "fits"
    __table_args__ = (UniqueConstraint("study_id", "data_digest", "configuration_digest"),)

    id: Mapped[PrimaryId]
    study_id: Mapped[uuid.UUID] = mapped_column(ForeignKey("studies.id", ondelete="CASCADE"))
    method: Mapped[str]
    configuration: Mapped[Json]
    configuration_digest: Mapped[str]
    run_ids: Mapped[list[str]] = mapped_column(JSONB)
    data_digest: Mapped[str]
    state: Mapped[TaskState] = mapped_column(one_of(TaskState))
    result: Mapped[Json | None] = mapped_column(JSONB(none_as_null=True))
    error: Mapped[str | None]
    created_at: Mapped[CreatedAt]
    finished_at: Mapped[Moment | None]
