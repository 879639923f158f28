"""Browser sessions of the dashboard, and the one-time links that open them."""

import uuid

from sqlalchemy import ForeignKey, LargeBinary, Text
from sqlalchemy.dialects.postgresql import ARRAY
from sqlalchemy.orm import Mapped, mapped_column

from service.models.base import Base, CreatedAt, Moment, PrimaryId


class BrowserSession(Base):
    """A logged-in browser, or a link that logs one in once; the token itself is never stored.

    One that was opened with a key ends with the key.
    """

    __tablename__ = "browser_sessions"

    id: Mapped[PrimaryId]
    project_id: Mapped[uuid.UUID] = mapped_column(ForeignKey("projects.id", ondelete="CASCADE"), index=True)
    token_digest: Mapped[bytes] = mapped_column(LargeBinary, unique=True)
    scopes: Mapped[list[str]] = mapped_column(ARRAY(Text))
    one_time: Mapped[bool]
    created_at: Mapped[CreatedAt]
    expires_at: Mapped[Moment]
    key_id: Mapped[uuid.UUID | None] = mapped_column(ForeignKey("api_keys.id", ondelete="CASCADE"))
    last_used_at: Mapped[CreatedAt]
