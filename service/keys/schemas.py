"""Bodies of the key endpoints."""

from datetime import datetime
from typing import Annotated, ClassVar
from uuid import UUID

from fastapi import Path
from pydantic import Field

from service.keys.secrets import Secret
from service.models import ApiKey
from service.schemas import Answer, Body, Text
from service.scopes import Scope

KeyId = Annotated[UUID, Path(description="Identifier of a key.")]
Reason = Annotated[Text, Field(max_length=1000)]
LONGEST_OVERLAP_SECONDS = 30 * 86_400  # beyond a month a key is not replaced but has a sister
DAY_SECONDS = 86_400


class KeyIn(Body):
    """A request for a key."""

    name: Text = Field(min_length=1, max_length=100, description="What the key is for, for people.")
    scopes: list[Scope] = Field(min_length=1, description="What the key may do.")
    days: int | None = Field(
        default=None, ge=1, le=3650, description="Days until it expires; null for never."
    )


class RotationIn(Body):
    """How a key is replaced."""

    overlap_seconds: int = Field(
        default=DAY_SECONDS,
        ge=0,
        le=LONGEST_OVERLAP_SECONDS,
        description="How long the old key still works; 0 ends it at once.",
    )
    days: int | None = Field(
        default=None,
        ge=1,
        le=3650,
        description="Days until the new key expires; null gives it as long as the old one had.",
    )
    reason: Reason = Field(default="", description="Why, for the audit trail.")


class KeyOut(Answer):
    """A key without its secret."""

    id: UUID = Field(description="Identifier of the key.")
    name: str = Field(description="What the key is for.")
    public_part: str = Field(description="The part between the first and second underscore of the key.")
    scopes: list[str] = Field(description="What the key may do.")
    created_at: datetime = Field(description="When it was made.")
    expires_at: datetime | None = Field(description="When it expires, if ever.")
    revoked_at: datetime | None = Field(description="When it was revoked, if so.")
    last_used_at: datetime | None = Field(description="When it was last used, to about a minute.")
    replaces_id: UUID | None = Field(description="The key that this one replaces, if any.")


class NewKeyOut(KeyOut):
    """A key on the one occasion on which its secret is told."""

    told_once: ClassVar[frozenset[str]] = frozenset({"key"})

    key: str = Field(description="The key itself. It is not stored and cannot be shown again.")

    @classmethod
    def told(cls, key: ApiKey, secret: Secret) -> "NewKeyOut":
        """A new key with its secret."""
        return cls(key=secret.text, **KeyOut.model_validate(key).model_dump())
