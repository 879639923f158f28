"""Attempts: unbroken stretches of a job's steps."""

import uuid

from sqlalchemy import BigInteger, ForeignKey
from sqlalchemy.orm import Mapped, mapped_column

from service.models.base import Base, Counter, CreatedAt, Json


class Attempt(Base):
    """One attempt; the highest number of a job is the one that may report, all others are fenced.

    `definition` is the job's in this attempt: a domain that is added comes with the next one. What a trainer
    acknowledges is counted here, not in the job's row: that changes with its state alone.
    """

    __tablename__ = "attempts"

    job_id: Mapped[uuid.UUID] = mapped_column(ForeignKey("jobs.id", ondelete="CASCADE"), primary_key=True)
    number: Mapped[int] = mapped_column(primary_key=True)
    from_step: Mapped[int] = mapped_column(BigInteger)
    restored_seq: Mapped[int] = mapped_column(BigInteger)
    definition: Mapped[Json]
    versions_applied: Mapped[Counter]
    versions_too_late: Mapped[Counter]
    opened_at: Mapped[CreatedAt]
