"""Preconditions of requests that would overwrite or delete: whoever sends one has seen what is there."""

from collections.abc import Mapping
from typing import Annotated, Any

from fastapi import Header

from service.errors import PreconditionFailedError, PreconditionRequiredError

IfMatch = Annotated[str | None, Header(description="ETag of what you have seen: a newer one answers 412.")]


def check_match(if_match: str | None, etag: str, what: str, stored: Mapping[str, Any]) -> None:
    """Check the If-Match header of a request.

    Args:
        if_match: the header; `*` matches anything.
        etag: of what is stored.
        what: its name, for the message.
        stored: what is stored, for whoever has not seen it.

    Raises:
        PreconditionRequiredError: there is no such header.
        PreconditionFailedError: it names another ETag.
    """
    if if_match is None:
        raise PreconditionRequiredError(f"read {what} first, and send their ETag as If-Match")
    # A proxy that compresses answers makes their ETags weak, and a client sends back what it was given.
    shown = {part.strip().removeprefix("W/") for part in if_match.split(",")}
    if not shown & {etag, "*"}:
        raise PreconditionFailedError(
            f"{what} were edited meanwhile: read them again, and repeat your change on top",
            extra={"etag": etag, "stored": dict(stored)},
        )
