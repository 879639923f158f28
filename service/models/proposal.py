"""Proposals: mixtures put forward by a fit."""

import uuid

from sqlalchemy import ForeignKey
from sqlalchemy.dialects.postgresql import JSONB
from sqlalchemy.orm import Mapped, mapped_column

from service.models.base import Base, CreatedAt, Json, Moment, PrimaryId, one_of
from service.models.fit import TaskState


class ProposalRequest(Base):
    """A request for proposals with its answer."""

    __tablename__ = "proposals"

    id: Mapped[PrimaryId]
    study_id: Mapped[uuid.UUID] = mapped_column(ForeignKey("studies.id", ondelete="CASCADE"), index=True)
    fit_id: Mapped[uuid.UUID] = mapped_column(ForeignKey("fits.id", ondelete="CASCADE"), index=True)
    configuration: Mapped[Json]
    state: Mapped[TaskState] = mapped_column(one_of(TaskState))
    result: Mapped[Json | None] = mapped_column(JSONB(none_as_null=True))
    error: Mapped[str | None]
    created_at: Mapped[CreatedAt]
    finished_at: Mapped[Moment | None]
