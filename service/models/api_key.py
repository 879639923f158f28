"""API keys: what a caller shows; only a digest of the secret is stored."""

import uuid

from sqlalchemy import ForeignKey, LargeBinary, Text
from sqlalchemy.dialects.postgresql import ARRAY
from sqlalchemy.orm import Mapped, mapped_column

from service.models.base import Base, CreatedAt, Moment, PrimaryId


class ApiKey(Base):
    """A key of a project.

    The secret has 256 random bits, so a plain SHA-256 of it cannot be guessed back; a slow hash would
    only cost every request its time. `last_used_at` lags behind by up to a minute. A key that was rotated is
    replaced by another, and works until `expires_at`.
    """

    __tablename__ = "api_keys"

    id: Mapped[PrimaryId]
    project_id: Mapped[uuid.UUID] = mapped_column(ForeignKey("projects.id", ondelete="CASCADE"), index=True)
    name: Mapped[str]
    public_part: Mapped[str] = mapped_column(unique=True)
    secret_digest: Mapped[bytes] = mapped_column(LargeBinary)
    scopes: Mapped[list[str]] = mapped_column(ARRAY(Text))
    created_at: Mapped[CreatedAt]
    expires_at: Mapped[Moment | None]
    revoked_at: Mapped[Moment | None]
    last_used_at: Mapped[Moment | None]
    replaces_id: Mapped[uuid.UUID | None] = mapped_column(ForeignKey("api_keys.id", ondelete="SET NULL"))
