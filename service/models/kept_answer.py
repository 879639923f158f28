"""Answers to requests with an Idempotency-Key, kept for whoever repeats one."""

import uuid

from sqlalchemy import ForeignKey, LargeBinary
from sqlalchemy.orm import Mapped, mapped_column

from service.models.base import Base, CreatedAt, Json, Moment


class KeptAnswer(Base):
    """What a request was answered with; `owner_id` is the API key or browser session that sent it.

    An answer that told a secret is stored without it, and says so.
    """

    __tablename__ = "kept_answers"

    owner_id: Mapped[uuid.UUID] = mapped_column(primary_key=True)
    idempotency_key: Mapped[str] = mapped_column(primary_key=True)
    project_id: Mapped[uuid.UUID] = mapped_column(ForeignKey("projects.id", ondelete="CASCADE"), index=True)
    fingerprint: Mapped[bytes] = mapped_column(LargeBinary)
    status: Mapped[int]
    headers: Mapped[Json]
    body: Mapped[bytes] = mapped_column(LargeBinary)
    without_secret: Mapped[bool]
    created_at: Mapped[CreatedAt]
    expires_at: Mapped[Moment] = mapped_column(index=True)
