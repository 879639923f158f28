"""Studies: one optimisation each, with domains, targets, objective and constraints."""

import uuid

from sqlalchemy import ForeignKey, Index, UniqueConstraint
from sqlalchemy.orm import Mapped, mapped_column

from service.models.base import Base, CreatedAt, Json, PrimaryId


class Study(Base):
    """A study; `definition` is the body it was created with, complete with defaults.

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
    created_at: Mapped[CreatedAt]
