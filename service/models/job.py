"""Jobs: live training jobs that follow a schedule."""

import uuid

from sqlalchemy import BigInteger, ForeignKey, Index, UniqueConstraint, text
from sqlalchemy.orm import Mapped, mapped_column

from service.models.base import Base, Counter, CreatedAt, Json, Moment, PrimaryId


class Job(Base):
    """A job with the head of its fold.

    `version` and `applied_seq` only ever grow, also across attempts: no number is used twice. `state` is
    that of the whole steering, the policy's in it, as `build` computed it. A job that was ended takes
    nothing more; one that was deleted belongs to no project. `reports_forgotten` counts
    reports that were dropped after the end. `epoch` counts how often the
    database was restored to an earlier point: service/jobs/epochs.py.
    """

    __tablename__ = "jobs"
    __table_args__ = (
        UniqueConstraint("project_id", "name"),
        Index("ix_jobs_project_id_id", "project_id", "id"),
        Index("ix_jobs_project_id_live", "project_id", "id", postgresql_where=text("ended_at IS NULL")),
    )

    id: Mapped[PrimaryId]
    project_id: Mapped[uuid.UUID | None] = mapped_column(ForeignKey("projects.id", ondelete="CASCADE"))
    name: Mapped[str]
    definition: Mapped[Json]
    attempt: Mapped[int]
    from_step: Mapped[int] = mapped_column(BigInteger)
    version: Mapped[int]
    applied_seq: Mapped[int] = mapped_column(BigInteger)
    applied_step: Mapped[int] = mapped_column(BigInteger)
    reported_step: Mapped[int] = mapped_column(BigInteger)
    state: Mapped[Json]
    build: Mapped[str]
    epoch: Mapped[int] = mapped_column(default=0, server_default=text("0"))
    # Counted as they come: reports are many, and old ones may be gone.
    reports: Mapped[Counter]
    reports_late: Mapped[Counter]
    duplicates: Mapped[Counter]
    versions_published: Mapped[Counter]
    created_at: Mapped[CreatedAt]
    last_report_at: Mapped[Moment | None]
    ended_at: Mapped[Moment | None]
    ended_by: Mapped[str | None]
    end_reason: Mapped[str | None]
    reports_forgotten: Mapped[Counter]
