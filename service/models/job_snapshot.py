"""Snapshots of jobs: states at places in the log, so that not all of it must be read for an older one."""

import uuid

from sqlalchemy import BigInteger, ForeignKey
from sqlalchemy.orm import Mapped, mapped_column

from service.models.base import Base, CreatedAt, Json


class JobSnapshot(Base):
    """State after a place in the log, and the build that computed it. It can be computed again."""

    __tablename__ = "job_snapshots"

    job_id: Mapped[uuid.UUID] = mapped_column(ForeignKey("jobs.id", ondelete="CASCADE"), primary_key=True)
    seq: Mapped[int] = mapped_column(BigInteger, primary_key=True)
    state: Mapped[Json]
    build: Mapped[str]
    created_at: Mapped[CreatedAt]
