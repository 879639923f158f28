"""What both kinds of connection send alike."""

from collections.abc import AsyncIterable, Iterable

import httpx

from mixclient.errors import ServiceUnreachableError
from mixclient.service.call import Request
from mixclient.version import VERSION

FILE_PART = 64 * 1024  # bytes of a file that are read at once


def headers_of(key: str) -> dict[str, str]:
    """Headers of every request."""
    return {"Authorization": f"Bearer {key}", "User-Agent": f"mixclient/{VERSION}"}


def built(
    http: httpx.Client | httpx.AsyncClient,
    request: Request,
    content: bytes | Iterable[bytes] | AsyncIterable[bytes] | None,
) -> httpx.Request:
    """A request as httpx sends it."""
    timeout = http.timeout if request.timeout is None else httpx.Timeout(request.timeout)
    wanted = timeout.as_dict()
    if wanted["read"] is not None:
        wanted["read"] += request.wait
    return http.build_request(
        request.method,
        request.path,
        content=content,
        params=dict(request.query) or None,
        headers=dict(request.headers),
        timeout=httpx.Timeout(**wanted),
    )


def unreachable(url: str, request: Request, error: Exception) -> ServiceUnreachableError:
    """What to raise where there is no usable answer."""
    told = f"{type(error).__name__} {error}".strip()
    return ServiceUnreachableError(f"{request.method} {url}{request.path}: {told}")
