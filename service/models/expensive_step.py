"""Expensive steps of policies: work of tasks, whose results become events of the job."""

import uuid

from sqlalchemy import BigInteger, ForeignKey, UniqueConstraint
from sqlalchemy.orm import Mapped, mapped_column

from service.models.base import Base, CreatedAt, Moment, PrimaryId, one_of
from service.models.fit import TaskState


class ExpensiveStep(Base):
    """One step that fell due; the same history of one attempt is asked for again after rollbacks alone."""

    __tablename__ = "expensive_steps"
    __table_args__ = (UniqueConstraint("job_id", "attempt", "step_from", "step_to"),)

    id: Mapped[PrimaryId]
    job_id: Mapped[uuid.UUID] = mapped_column(ForeignKey("jobs.id", ondelete="CASCADE"))
    attempt: Mapped[int]
    step_from: Mapped[int] = mapped_column(BigInteger)
    step_to: Mapped[int] = mapped_column(BigInteger)
    state: Mapped[TaskState] = mapped_column(one_of(TaskState))
    error: Mapped[str | None]
    created_at: Mapped[CreatedAt]
    finished_at: Mapped[Moment | None]
