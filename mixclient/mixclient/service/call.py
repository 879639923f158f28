"""What an operation sends, and how its answer is read; nothing here touches a network."""

import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import IO, Any, Generic, TypeVar
from urllib.parse import quote

import httpx

from mixclient.service.answers import an_object

T = TypeVar("T")

PAGE = 500  # items that a page asks for
IDEMPOTENT = frozenset({"GET", "HEAD", "PUT", "DELETE"})  # RFC 9110, 9.2.2


@dataclass(frozen=True)
class Call(Generic[T]):
    """What an operation makes of its arguments.

    Args:
        names: what its path holds in braces.
        body: to send as JSON.
        query: parameters; those that are None are left out.
        headers: of this call alone; those that are None are left out.
        read: makes its result of an answer.
        wait: seconds for which the service may hold its answer.
        timeout: seconds to wait for the answer, instead of the client's.
        source: file to send instead of a body.
        sink: file that an answer is written to.
        repeatable: False where the same again may be refused although it was done.
    """

    names: Mapping[str, str] = field(default_factory=dict)
    body: Any = None
    query: Mapping[str, Any] = field(default_factory=dict)
    headers: Mapping[str, str | None] = field(default_factory=dict)
    read: Callable[[httpx.Response], T] = an_object
    wait: int = 0
    timeout: float | None = None
    source: IO[bytes] | None = None
    sink: IO[bytes] | None = None
    repeatable: bool = True


@dataclass(frozen=True)
class Request:
    """A call that is ready to be sent, as often as it takes.

    Args:
        method: of HTTP.
        path: with every name in its place.
        content: the body, encoded.
        query: parameters.
        headers: of this request alone.
        wait: seconds for which the service may hold its answer.
        timeout: seconds to wait for the answer, instead of the client's.
        source: file to send instead of a body.
        sink: file that an answer is written to.
        repeatable: whether sending it twice does what sending it once does.
    """

    method: str
    path: str
    content: bytes | None = None
    query: Mapping[str, Any] = field(default_factory=dict)
    headers: Mapping[str, str] = field(default_factory=dict)
    wait: int = 0
    timeout: float | None = None
    source: IO[bytes] | None = None
    sink: IO[bytes] | None = None
    repeatable: bool = False

    @classmethod
    def of(cls, method: str, path: str, call: Call[Any], *, repeatable: bool) -> "Request":
        """The request of a call.

        Args:
            method: of HTTP.
            path: with every name in its place.
            call: what to send.
            repeatable: whether the operation is.
        """
        headers = {name: value for name, value in call.headers.items() if value is not None}
        if call.wait > 0:
            headers["Prefer"] = f"wait={call.wait}"
        if call.body is not None:
            headers["Content-Type"] = "application/json"
        return cls(
            method,
            path,
            content=None if call.body is None else encoded(call.body),
            query={name: value for name, value in call.query.items() if value is not None},
            headers=headers,
            wait=call.wait,
            timeout=call.timeout,
            source=call.source,
            sink=call.sink,
            repeatable=repeatable and call.repeatable and call.source is None,
        )


def named(path: str, names: Mapping[str, str]) -> str:
    """A path with names in the place of its braces."""
    return path.format_map({name: quote(value, safe="") for name, value in names.items()})


def encoded(body: Any) -> bytes:
    """A body as JSON.

    Raises:
        ValueError: a number is not finite, which JSON does not know.
    """
    return json.dumps(body, allow_nan=False).encode()
