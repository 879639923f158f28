"""Proxy runs: one small model trained on one mixture."""

import uuid
from enum import StrEnum

from sqlalchemy import BigInteger, Float, ForeignKey, Index
from sqlalchemy.dialects.postgresql import ARRAY, JSONB
from sqlalchemy.orm import Mapped, mapped_column

from service.models.base import Base, CreatedAt, Json, Moment, PrimaryId, one_of


class RunState(StrEnum):
    """Where a run is. A running run whose lease has expired counts as stale, and may be claimed again."""

    PENDING = "pending"
    RUNNING = "running"
    COMPLETED = "completed"
    FAILED = "failed"


class ProxyRun(Base):
    """A run with its mixture, its lease and its result."""

    __tablename__ = "proxy_runs"
    __table_args__ = (
        # Claims look for the oldest run that waits or whose lease has expired.
        Index("ix_proxy_runs_open", "id", postgresql_where="state IN ('pending', 'running')"),
    )

    id: Mapped[PrimaryId]
    study_id: Mapped[uuid.UUID] = mapped_column(ForeignKey("studies.id", ondelete="CASCADE"), index=True)
    sweep_id: Mapped[uuid.UUID] = mapped_column(ForeignKey("sweeps.id", ondelete="CASCADE"), index=True)
    label: Mapped[str]
    weights: Mapped[list[float]] = mapped_column(ARRAY(Float))
    seed: Mapped[int] = mapped_column(BigInteger)
    train: Mapped[Json]
    job: Mapped[str | None]
    state: Mapped[RunState] = mapped_column(one_of(RunState))
    worker: Mapped[str | None]
    lease: Mapped[uuid.UUID | None]
    lease_expires_at: Mapped[Moment | None]
    claims: Mapped[int] = mapped_column(default=0)
    progress: Mapped[float] = mapped_column(default=0.0)
    result: Mapped[Json | None] = mapped_column(JSONB(none_as_null=True))
    error: Mapped[str | None]
    created_at: Mapped[CreatedAt]
    started_at: Mapped[Moment | None]
    finished_at: Mapped[Moment | None]
