"""Studies: one optimisation each, with domains, targets, objective and constraints."""

import uuid

from sqlalchemy import ForeignKey, Index, UniqueConstraint, text
from sqlalchemy.orm import Mapped, mapped_column

from service.models.base import Base, CreatedAt, Json, PrimaryId


class Study(Base):
    """A study; `definition` is the body it was created with, complete with defaults.

    `notes` are those that people wrote since, null until they did; `notes_revision` counts their edits. Lists
    of studies do not read them.

    One that was deleted belongs to no project: nobody finds it any more, and its rows go in small parts.
    """

    __tablename__ = "studies"
    __table_args__ = (
        UniqueConstraint("project_id", "name"),
        Index("ix_studies_project_id_id", "project_id", "id"),
    )

    id: Mapped[PrimaryId]
    project_id: Mapped[uuid.UUID | None] = mapped_column(ForeignKey("projects.id", ondelete="CASCADE"))
    name: Mapped[str]
    definition: Mapped[Json]
    notes: Mapped[str | None] = mapped_column(deferred=True)
    notes_revision: Mapped[int] = mapped_column(default=0, server_default=text("0"))
    created_at: Mapped[CreatedAt]
