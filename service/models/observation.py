"""Observations: the value of a target of a proxy run at a step."""

import uuid

from sqlalchemy import ForeignKey
from sqlalchemy.orm import Mapped, mapped_column

from service.models.base import Base


class Observation(Base):
    """One value; nats per token where the target is a loss."""

    __tablename__ = "observations"

    run_id: Mapped[uuid.UUID] = mapped_column(
        ForeignKey("proxy_runs.id", ondelete="CASCADE"), primary_key=True
    )
    step: Mapped[int] = mapped_column(primary_key=True)
    target: Mapped[str] = mapped_column(primary_key=True)
    value: Mapped[float]
