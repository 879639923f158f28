"""Proxy runs: one small model trained on one mixture."""

import uuid
from enum import StrEnum

from sqlalchemy import BigInteger, Float, ForeignKey, Index, Text, UniqueConstraint, text
from sqlalchemy.dialects.postgresql import ARRAY, JSONB
from sqlalchemy.orm import Mapped, mapped_column

from service.models.base import Base, CreatedAt, Json, Moment, PrimaryId, one_of


class RunState(StrEnum):
    """Where a run is. A running run whose lease has expired counts as stale, and may be claimed again.

    A run that was cancelled was never finished; an invalid one was, and is out of the swarm since then.
    """

    PENDING = "pending"
    RUNNING = "running"
    COMPLETED = "completed"
    FAILED = "failed"
    CANCELLED = "cancelled"
    INVALID = "invalid"


class ProxyRun(Base):
    """A run with its mixture, its lease and its result.

    `client_id` is the name under which a client put a run that it trained itself; a run of a sweep has none.
    `revision` counts edits of notes and tags, which may be made in any state.
    """

    __tablename__ = "proxy_runs"
    __table_args__ = (
        # Claims look for the oldest run that waits or whose lease has expired.
        Index("ix_proxy_runs_open", "id", postgresql_where="state IN ('pending', 'running')"),
        # The oldest open run of one study.
        Index(
            "ix_proxy_runs_study_id_open",
            "study_id",
            "id",
            postgresql_where="state IN ('pending', 'running')",
        ),
        # A worker that comes back asks for what it holds.
        Index("ix_proxy_runs_held", "worker", postgresql_where="state = 'running'"),
        UniqueConstraint("study_id", "client_id"),
        # Pages of a study's runs, and their number in each state, however many studies there are.
        Index("ix_proxy_runs_study_id_id", "study_id", "id"),
        Index("ix_proxy_runs_study_id_state_id", "study_id", "state", "id"),
    )

    id: Mapped[PrimaryId]
    study_id: Mapped[uuid.UUID] = mapped_column(ForeignKey("studies.id", ondelete="CASCADE"))
    sweep_id: Mapped[uuid.UUID] = mapped_column(ForeignKey("sweeps.id", ondelete="CASCADE"), index=True)
    client_id: Mapped[str | None]
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
    notes: Mapped[str] = mapped_column(default="", server_default="")
    tags: Mapped[list[str]] = mapped_column(ARRAY(Text), default=list, server_default=text("'{}'"))
    revision: Mapped[int] = mapped_column(default=0, server_default=text("0"))
    created_at: Mapped[CreatedAt]
    started_at: Mapped[Moment | None]
    finished_at: Mapped[Moment | None]
