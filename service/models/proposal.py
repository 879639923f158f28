"""Proposals: mixtures put forward by a fit."""

import uuid

from sqlalchemy import ForeignKey, Index
from sqlalchemy.dialects.postgresql import JSONB
from sqlalchemy.orm import Mapped, mapped_column

from service.models.base import Base, CreatedAt, Json, PrimaryId
from service.models.task import TaskColumns


class ProposalRequest(TaskColumns, Base):
    """A request for proposals with its answer."""

    __tablename__ = "proposals"
    __table_args__ = (Index("ix_proposals_open", "id", postgresql_where="state IN ('queued', 'running')"),)

    id: Mapped[PrimaryId]
    study_id: Mapped[uuid.UUID] = mapped_column(ForeignKey("studies.id", ondelete="CASCADE"), index=True)
    fit_id: Mapped[uuid.UUID] = mapped_column(ForeignKey("fits.id", ondelete="CASCADE"), index=True)
    configuration: Mapped[Json]
    result: Mapped[Json | None] = mapped_column(JSONB(none_as_null=True))
    created_at: Mapped[CreatedAt]
