"""The other side of `benchmarks.polling`: many connections over raw sockets, in a process of their own.

    python -m benchmarks.polling_load '{"mode": "rate", ...}'

A client library costs several times what the service does, and two processes share the cores: what is
not needed is left out. Answers to one request all have the same number of bytes, so that only the first
is read, and the others are counted.
"""

import asyncio
import json
import sys
import time
from typing import Any, cast

import uvloop

HEAD_END = b"\r\n\r\n"


class Asking(asyncio.Protocol):
    """A connection that asks again as soon as it is answered; one request is under way at a time."""

    answers = 0  # of all connections
    stopping = False

    def __init__(self, request: bytes, status: bytes) -> None:
        self._request, self._status = request, status
        self._length: int | None = None
        self._received = b""
        self._count = 0

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Begin to ask."""
        self._transport = cast("asyncio.Transport", transport)
        self._transport.write(self._request)

    def data_received(self, data: bytes) -> None:
        """Count a whole answer and ask again."""
        if self._length is None:
            self._received += data
            self._length = whole(self._received)
            if self._length is None:
                return
            data = self._received
        if not self._count and not data.startswith(self._status):
            raise SystemExit(f"wanted {self._status!r}, got {data[:400]!r}")
        self._count += len(data)
        if self._count >= self._length:
            self._count = 0
            Asking.answers += 1
            if not Asking.stopping:
                self._transport.write(self._request)


class Waiting(asyncio.Protocol):
    """A connection that waits: `seen` is when the latest answer or event with an ETag came in whole."""

    def __init__(self, request: bytes, *, stream: bool) -> None:
        self._request, self._stream = request, stream
        self._received = b""
        self.seen: float | None = None

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Ask."""
        self._transport = cast("asyncio.Transport", transport)
        self._transport.write(self._request)

    def data_received(self, data: bytes) -> None:
        """Note when it is whole."""
        self._received += data
        if self._stream:
            begun = self._received.find(b"data: ")
            if begun < 0 or self._received.find(b"\n\n", begun) < 0:
                return
        elif whole(self._received) is None:
            return
        self.seen = time.monotonic()
        self._received = b""

    def close(self) -> None:
        """Leave."""
        self._transport.close()


def whole(received: bytes) -> int | None:
    """Bytes of the answer at the beginning; None while it is not all there."""
    end = received.find(HEAD_END)
    if end < 0:
        return None
    head = received[:end].lower()
    at = head.find(b"\r\ncontent-length:")
    body = int(head[at + 17 :].split(b"\r\n", 1)[0]) if at >= 0 else 0
    total = end + len(HEAD_END) + body
    return total if len(received) >= total else None


async def rate(order: dict[str, Any]) -> dict[str, Any]:
    """Answers a second on so many connections."""
    loop = asyncio.get_running_loop()
    request, status = order["request"].encode(), f"HTTP/1.1 {order['status']}".encode()
    for _ in range(order["connections"]):
        await loop.create_connection(lambda: Asking(request, status), order["host"], order["port"])
    await asyncio.sleep(order["warm_up"])
    before, began = Asking.answers, time.perf_counter()
    print("begun", flush=True)
    await asyncio.sleep(order["seconds"])
    answers, elapsed = Asking.answers - before, time.perf_counter() - began
    print("ended", flush=True)
    Asking.stopping = True
    await asyncio.sleep(0.05)
    return {"rate": answers / elapsed, "answers": answers}


async def fan_out(order: dict[str, Any]) -> dict[str, Any]:
    """When each of many waiters had the next version, on the machine's monotonic clock."""
    loop = asyncio.get_running_loop()
    request, stream = order["request"].encode(), order["stream"]
    waiters: list[Waiting] = []
    for _ in range(order["waiters"]):
        _, waiter = await loop.create_connection(
            lambda: Waiting(request, stream=stream), order["host"], order["port"]
        )
        waiters.append(waiter)
    if stream:  # each is sent the present version first
        await until_all(waiters, 60)
        for waiter in waiters:
            waiter.seen = None
    await asyncio.sleep(1.0)
    print("waiting", flush=True)
    await until_all(waiters, 60)
    seen = [waiter.seen for waiter in waiters]
    for waiter in waiters:
        waiter.close()
    await asyncio.sleep(0.2)
    return {"seen": seen}


async def until_all(waiters: list[Waiting], seconds: float) -> None:
    """Return once all have what they wait for."""
    async with asyncio.timeout(seconds):
        while any(waiter.seen is None for waiter in waiters):  # noqa: ASYNC110 - a test every now and then
            await asyncio.sleep(0.05)


def main() -> None:
    """Do what is asked, and print what was found."""
    order = json.loads(sys.argv[1])
    print(json.dumps(uvloop.run({"rate": rate, "fan_out": fan_out}[order["mode"]](order))), flush=True)


if __name__ == "__main__":
    main()
