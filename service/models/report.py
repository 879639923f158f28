"""Reports: what trainers measured; the ordered log that every policy state can be computed from again."""

import uuid

from sqlalchemy import BigInteger, Float, ForeignKey, Index, Text, text
from sqlalchemy.dialects.postgresql import ARRAY
from sqlalchemy.orm import Mapped, mapped_column

from service.models.base import Base, CreatedAt, Json


class Report(Base):
    """One report under its natural key (job, attempt, source, step_to).

    `applied_seq` is its place in the fold; None while it waits for other sources, and for ever if it
    came late. Sums are None where a domain's loss was not finite.
    """

    __tablename__ = "reports"
    __table_args__ = (
        Index("ix_reports_fold", "job_id", "applied_seq"),
        Index(
            "ix_reports_waiting",
            "job_id",
            "attempt",
            postgresql_where=text("applied_seq IS NULL AND late IS FALSE AND taken_back IS FALSE"),
        ),
    )

    job_id: Mapped[uuid.UUID] = mapped_column(ForeignKey("jobs.id", ondelete="CASCADE"), primary_key=True)
    attempt: Mapped[int] = mapped_column(primary_key=True)
    source: Mapped[str] = mapped_column(primary_key=True)
    step_to: Mapped[int] = mapped_column(BigInteger, primary_key=True)
    step_from: Mapped[int] = mapped_column(BigInteger)
    schedule_version: Mapped[int]
    loss_sums: Mapped[list[float | None]] = mapped_column(ARRAY(Float))
    token_counts: Mapped[list[int]] = mapped_column(ARRAY(BigInteger))
    non_finite: Mapped[list[str]] = mapped_column(ARRAY(Text))
    signals: Mapped[Json]
    applied_seq: Mapped[int | None] = mapped_column(BigInteger)
    late: Mapped[bool] = mapped_column(default=False)
    taken_back: Mapped[bool] = mapped_column(default=False)
    received_at: Mapped[CreatedAt]
