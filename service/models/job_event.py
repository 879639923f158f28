"""Events of jobs: what happened beside reports, in the same order as these."""

import uuid

from sqlalchemy import BigInteger, ForeignKey, Index
from sqlalchemy.orm import Mapped, mapped_column

from mixlaws.steering.events import EventKind
from service.models.base import Base, CreatedAt, Json, one_of


class JobEvent(Base):
    """One event; `seq` is its place in the fold, which no report has.

    Results and late stages of a stretch that a restart took back no longer count; what people ordered does.
    """

    __tablename__ = "job_events"
    __table_args__ = (Index("ix_job_events_trail", "job_id", "created_at"),)

    job_id: Mapped[uuid.UUID] = mapped_column(ForeignKey("jobs.id", ondelete="CASCADE"), primary_key=True)
    seq: Mapped[int] = mapped_column(BigInteger, primary_key=True)
    kind: Mapped[EventKind] = mapped_column(one_of(EventKind))
    attempt: Mapped[int]
    reported_step: Mapped[int] = mapped_column(BigInteger)
    payload: Mapped[Json]
    actor: Mapped[str]
    taken_back: Mapped[bool] = mapped_column(default=False)
    created_at: Mapped[CreatedAt]
