"""Entries of the audit trail: what people and programs did to a project, jobs' own logs left aside."""

import uuid
from enum import StrEnum

from sqlalchemy import ForeignKey, Index
from sqlalchemy.orm import Mapped, mapped_column

from service.models.base import Base, CreatedAt, Json, PrimaryId


class AuditKind(StrEnum):
    """What was done; the part before the dot says to what."""

    PROJECT_CREATED = "project.created"
    PROJECT_RENAMED = "project.renamed"
    PROJECT_DELETED = "project.deleted"
    KEY_CREATED = "key.created"
    KEY_ROTATED = "key.rotated"
    KEY_REVOKED = "key.revoked"
    STUDY_CREATED = "study.created"
    STUDY_NOTED = "study.noted"
    STUDY_DELETED = "study.deleted"
    JOB_CREATED = "job.created"
    JOB_DELETED = "job.deleted"
    LOGIN = "session.login"
    LOGOUT = "session.logout"


class AuditEntry(Base):
    """One entry. It outlives what it tells of, but not its project.

    `kind` is not constrained by the database: during a rolling upgrade an older process may read a kind that
    only a newer one writes.
    """

    __tablename__ = "audit_entries"
    __table_args__ = (Index("ix_audit_entries_trail", "project_id", "created_at"),)

    id: Mapped[PrimaryId]
    project_id: Mapped[uuid.UUID] = mapped_column(ForeignKey("projects.id", ondelete="CASCADE"))
    kind: Mapped[str]
    actor: Mapped[str]
    key_id: Mapped[uuid.UUID | None]
    subject: Mapped[str]
    reason: Mapped[str]
    details: Mapped[Json]
    created_at: Mapped[CreatedAt]
