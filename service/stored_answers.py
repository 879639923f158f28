"""Answers that are encoded once and sent often, with all the headers that an answer of this service has."""

from starlette.types import Receive, Scope, Send

Header = tuple[bytes, bytes]
JSON: Header = (b"content-type", b"application/json")
# Data alone: what browsers are told of pages would be parsed and sent for nothing.
STRICT: tuple[Header, ...] = (
    (b"x-content-type-options", b"nosniff"),
    (b"cross-origin-resource-policy", b"same-origin"),
    (b"content-security-policy", b"default-src 'none'; frame-ancestors 'none'"),
)


class StoredAnswer:
    """An answer as an ASGI application.

    Args:
        status: HTTP status.
        headers: those beside its length and what keeps browsers strict.
        body: what is sent.
    """

    def __init__(self, status: int, headers: list[Header], body: bytes = b"") -> None:
        length = [] if status == 304 else [(b"content-length", str(len(body)).encode())]
        complete = [*headers, *length, *STRICT]
        self._start = {"type": "http.response.start", "status": status, "headers": complete}
        self._body = {"type": "http.response.body", "body": body}

    async def __call__(self, _scope: Scope, _receive: Receive, send: Send) -> None:
        """Send it."""
        await send(self._start)
        await send(self._body)
