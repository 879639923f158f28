"""Bodies of the key endpoints."""

from datetime import datetime
from typing import Annotated, ClassVar
from uuid import UUID

from fastapi import Path
from pydantic import Field

from service.schemas import Answer, Body, Text
from service.scopes import Scope

KeyId = Annotated[UUID, Path(description="Identifier of a key.")]


class KeyIn(Body):
    """A request for a key."""

    name: Text = Field(min_length=1, max_length=100, description="What the key is for, for people.")
    scopes: list[Scope] = Field(min_length=1, description="What the key may do.")
    days: int | None = Field(
        default=None, ge=1, le=3650, description="Days until it expires; null for never."
    )


class KeyOut(Answer):
    """A key without its secret."""

    id: UUID = Field(description="Identifier of the key.")
    name: str = Field(description="What the key is for.")
    public_part: str = Field(description="The part between the first and second underscore of the key.")
    scopes: list[str] = Field(description="What the key may do.")
    created_at: datetime = Field(description="When it was made.")
    expires_at: datetime | None = Field(description="When it expires, if ever.")
    revoked_at: datetime | None = Field(description="When it was revoked, if so.")


class NewKeyOut(KeyOut):
    """A key on the one occasion on which its secret is told."""

    told_once: ClassVar[frozenset[str]] = frozenset({"key"})

    key: str = Field(description="The key itself. It is not stored and cannot be shown again.")
