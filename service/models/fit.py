"""Fits: a law or regressor fitted to the finished runs of a study."""

import uuid

from sqlalchemy import BigInteger, ForeignKey, Index, UniqueConstraint
from sqlalchemy.dialects.postgresql import JSONB
from sqlalchemy.orm import Mapped, mapped_column

from service.models.base import Base, CreatedAt, Json, PrimaryId
from service.models.task import TaskColumns


class Fit(TaskColumns, Base):
    """A fit, bound to the runs that it saw; one per study, data and configuration.

    `data_version` is the sum of those of the sweeps that it sees, when it was asked for.
    """

    __tablename__ = "fits"
    __table_args__ = (
        UniqueConstraint("study_id", "data_digest", "configuration_digest"),
        Index("ix_fits_open", "id", postgresql_where="state IN ('queued', 'running')"),
    )

    id: Mapped[PrimaryId]
    study_id: Mapped[uuid.UUID] = mapped_column(ForeignKey("studies.id", ondelete="CASCADE"))
    method: Mapped[str]
    configuration: Mapped[Json]
    configuration_digest: Mapped[str]
    run_ids: Mapped[list[str]] = mapped_column(JSONB)
    data_digest: Mapped[str]
    data_version: Mapped[int] = mapped_column(BigInteger, default=0, server_default="0")
    result: Mapped[Json | None] = mapped_column(JSONB(none_as_null=True))
    created_at: Mapped[CreatedAt]
