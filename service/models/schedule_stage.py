"""Schedule stages: every version that was ever published."""

import uuid

from sqlalchemy import BigInteger, Float, ForeignKey
from sqlalchemy.dialects.postgresql import ARRAY
from sqlalchemy.orm import Mapped, mapped_column

from service.models.base import Base, CreatedAt


class ScheduleStage(Base):
    """One version: weights, the step from which they hold, and the place in the log that they came from.

    Versions of one place were published together, from the step `published_from` on. A stage that came too
    late for the trainer, that another publication replaced before it began, or that belongs to a stretch that
    a restart took back, stays for the history but is no longer served.
    """

    __tablename__ = "schedule_stages"

    job_id: Mapped[uuid.UUID] = mapped_column(ForeignKey("jobs.id", ondelete="CASCADE"), primary_key=True)
    version: Mapped[int] = mapped_column(primary_key=True)
    attempt: Mapped[int]
    effective_step: Mapped[int] = mapped_column(BigInteger)
    weights: Mapped[list[float]] = mapped_column(ARRAY(Float))
    reason: Mapped[str]
    applied_seq: Mapped[int] = mapped_column(BigInteger)
    published_from: Mapped[int] = mapped_column(BigInteger)
    build: Mapped[str]
    too_late: Mapped[bool] = mapped_column(default=False)
    superseded: Mapped[bool] = mapped_column(default=False)
    taken_back: Mapped[bool] = mapped_column(default=False)
    applied_at_step: Mapped[int | None] = mapped_column(BigInteger)
    created_at: Mapped[CreatedAt]
