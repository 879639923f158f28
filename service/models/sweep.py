"""Sweeps: requests for proxy runs over designed or given mixtures."""

import uuid

from sqlalchemy import BigInteger, ForeignKey
from sqlalchemy.orm import Mapped, mapped_column

from service.models.base import Base, CreatedAt, Json, PrimaryId


class Sweep(Base):
    """A sweep; `definition` is the body it was created with, `data_version` counts changes of its results."""

    __tablename__ = "sweeps"

    id: Mapped[PrimaryId]
    study_id: Mapped[uuid.UUID] = mapped_column(ForeignKey("studies.id", ondelete="CASCADE"), index=True)
    purpose: Mapped[str]
    definition: Mapped[Json]
    data_version: Mapped[int] = mapped_column(BigInteger, default=0, server_default="0")
    created_at: Mapped[CreatedAt]
