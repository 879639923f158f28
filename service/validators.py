"""ETags of what is read: who holds an answer is told in a line that it still stands.

They are digests of the bodies, so that equal bytes have equal ones on every replica and after every restart.
They save sending and reading, not computing.
"""

import hashlib
from typing import Annotated

from fastapi import Header, Request, Response, status

CACHE_CONTROL = "private, no-cache"  # kept by the caller alone, and asked for again each time


async def declared(
    _if_none_match: Annotated[
        str | None, Header(alias="If-None-Match", description="ETags of answers that you hold.")
    ] = None,
) -> None:
    """Nothing but a place in the document for the header, which `validated` reads."""


def validated(request: Request, response: Response) -> Response:
    """An answer with its ETag, or 304 if the caller holds it. What is streamed, or has one, stays."""
    plain = response.status_code == status.HTTP_200_OK and hasattr(response, "body")
    if not plain or "etag" in response.headers:
        return response
    etag = f'"{hashlib.blake2b(bytes(response.body), digest_size=16).hexdigest()}"'
    headers = {"ETag": etag, "Cache-Control": CACHE_CONTROL}
    if holds(request.headers.get("if-none-match", ""), etag):
        return Response(status_code=status.HTTP_304_NOT_MODIFIED, headers=headers)
    response.headers.update(headers)
    return response


def holds(if_none_match: str, etag: str) -> bool:
    """Whether a header names an ETag, or all of them.

    Weak ones count: a proxy that compresses answers makes them weak.
    """
    named = {part.strip().removeprefix("W/") for part in if_none_match.split(",")}
    return etag in named or named == {"*"}
