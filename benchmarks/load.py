"""HTTP load over raw sockets: many connections, each with one request under way, in one event loop.

A client library costs several times what the service does; on two cores one would measure the library.
"""

import asyncio
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from functools import partial
from typing import cast
from urllib.parse import urlsplit

_NUMBER_OF_BYTES = b"content-length:"


@dataclass
class Answers:
    """What came back.

    Args:
        seconds: between request and answer, of each.
        statuses: how many answers had which status.
        elapsed: from the first request to the last answer.
    """

    seconds: list[float] = field(default_factory=list)
    statuses: dict[int, int] = field(default_factory=dict)
    elapsed: float = 0.0

    @property
    def rate(self) -> float:
        """Answers a second."""
        return len(self.seconds) / self.elapsed


class Connection(asyncio.Protocol):
    """One connection that asks again as soon as it is answered.

    Args:
        request: the bytes of its next request; None when it is to stop.
        answers: where answers are noted.
    """

    def __init__(self, request: Callable[[], bytes | None], answers: Answers) -> None:
        self.ended: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        self._request, self._answers = request, answers
        self._buffer = b""
        self._sent = 0.0
        self._transport: asyncio.Transport | None = None

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Begin to ask."""
        self._transport = cast("asyncio.Transport", transport)
        self._ask()

    def data_received(self, data: bytes) -> None:
        """Note an answer once it is whole."""
        self._buffer = self._buffer + data if self._buffer else data
        head_end = self._buffer.find(b"\r\n\r\n")
        if head_end < 0:
            return
        head = self._buffer[:head_end].lower()
        at = head.find(_NUMBER_OF_BYTES)
        length = int(head[at + len(_NUMBER_OF_BYTES) :].split(b"\r\n", 1)[0]) if at >= 0 else 0
        if len(self._buffer) < head_end + 4 + length:
            return
        status = int(head[9:12])
        self._buffer = b""
        self._answers.seconds.append(time.perf_counter() - self._sent)
        self._answers.statuses[status] = self._answers.statuses.get(status, 0) + 1
        self._ask()

    def connection_lost(self, exc: Exception | None) -> None:
        """End; a connection that the server cut is an error."""
        if not self.ended.done():
            self.ended.set_exception(exc or ConnectionError("the server closed the connection"))

    def _ask(self) -> None:
        request = self._request()
        if request is None or self._transport is None:
            if not self.ended.done():
                self.ended.set_result(None)
            if self._transport is not None:
                self._transport.close()
            return
        self._sent = time.perf_counter()
        self._transport.write(request)


async def load(url: str, requests: list[Callable[[], bytes | None]]) -> Answers:
    """Ask over one connection for each source of requests, until all of them have ended."""
    address = urlsplit(url)
    answers = Answers()
    loop = asyncio.get_running_loop()
    started = time.perf_counter()
    connections = []
    for one in requests:
        made = partial(Connection, one, answers)
        _, connection = await loop.create_connection(made, address.hostname or "", address.port or 80)
        connections.append(connection)
    await asyncio.gather(*(connection.ended for connection in connections))
    answers.elapsed = time.perf_counter() - started
    return answers


def _itself(connection: Connection) -> Connection:
    return connection


def encoded(method: str, path: str, headers: dict[str, str], body: bytes = b"") -> bytes:
    """A request as bytes."""
    lines = [f"{method} {path} HTTP/1.1", *(f"{name}: {value}" for name, value in headers.items())]
    if body:
        lines.append(f"Content-Length: {len(body)}")
    return "\r\n".join([*lines, "", ""]).encode() + body
