"""Domain sets: named lists of domains that studies and jobs take over."""

import uuid
from typing import Any

from sqlalchemy import ForeignKey, UniqueConstraint
from sqlalchemy.dialects.postgresql import JSONB
from sqlalchemy.orm import Mapped, mapped_column

from service.models.base import Base, CreatedAt, PrimaryId


class DomainSetVersion(Base):
    """One version of a domain set; it never changes, another list is another version."""

    __tablename__ = "domain_sets"
    __table_args__ = (UniqueConstraint("project_id", "name", "version"),)

    id: Mapped[PrimaryId]
    project_id: Mapped[uuid.UUID] = mapped_column(ForeignKey("projects.id", ondelete="CASCADE"))
    name: Mapped[str]
    version: Mapped[int]
    domains: Mapped[list[dict[str, Any]]] = mapped_column(JSONB)
    created_at: Mapped[CreatedAt]
