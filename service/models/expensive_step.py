"""Expensive steps of policies: work of tasks, whose results become events of the job."""

import uuid

from sqlalchemy import BigInteger, ForeignKey, Index, UniqueConstraint
from sqlalchemy.orm import Mapped, mapped_column

from service.models.base import Base, CreatedAt, PrimaryId
from service.models.task import TaskColumns


class ExpensiveStep(TaskColumns, Base):
    """One step that fell due; the same history of one attempt is asked for again after rollbacks alone."""

    __tablename__ = "expensive_steps"
    __table_args__ = (
        UniqueConstraint("job_id", "attempt", "step_from", "step_to"),
        Index("ix_expensive_steps_open", "id", postgresql_where="state IN ('queued', 'running')"),
    )

    id: Mapped[PrimaryId]
    job_id: Mapped[uuid.UUID] = mapped_column(ForeignKey("jobs.id", ondelete="CASCADE"))
    attempt: Mapped[int]
    step_from: Mapped[int] = mapped_column(BigInteger)
    step_to: Mapped[int] = mapped_column(BigInteger)
    created_at: Mapped[CreatedAt]
