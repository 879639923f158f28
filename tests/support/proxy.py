"""A TCP proxy between a client and a service, or a service and its database, which can be told to fail.

It fails in the ways networks do: cut, half-open, late, in drips, twice, and with the words of somebody else.
"""

import contextlib
import socket
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from enum import Enum
from urllib.parse import urlsplit

from sqlalchemy.engine import make_url


class Mode(Enum):
    """What the proxy does with connections."""

    PASS = "pass"
    CUT = "cut"  # closes every connection at once
    HANG = "hang"  # takes bytes and never answers
    GARBAGE = "garbage"  # answers with the page of some other server
    TROUBLED = "troubled"  # answers that the service is not to be reached
    LOSE_ANSWERS = "lose answers"  # lets requests through, cuts before the answer
    DELAY = "delay"  # holds everything back for a moment
    DRIP = "drip"  # answers come a few bytes at a time
    DUPLICATE = "duplicate"  # what is sent arrives a second time, on another connection


_DELAY_SECONDS = 0.1
_DRIP_BYTES = 7
_PAGE = b"Content-Type: text/html\r\nContent-Length: 15\r\nConnection: close\r\n\r\n<html>hi</html>"
_PAGES = {
    Mode.GARBAGE: b"HTTP/1.1 200 OK\r\n" + _PAGE,
    Mode.TROUBLED: b"HTTP/1.1 503 Service Unavailable\r\n" + _PAGE,
}


class Proxy:
    """Listens on a port of its own and forwards to a service."""

    def __init__(self, target: str) -> None:
        self._connect = _connector(target)
        self._listening = socket.create_server(("127.0.0.1", 0))
        self._open: set[socket.socket] = set()
        self._lock = threading.Lock()
        self.mode = Mode.PASS
        self.url = f"http://127.0.0.1:{self._listening.getsockname()[1]}"
        threading.Thread(target=self._accept, daemon=True).start()

    def set(self, mode: Mode) -> None:
        """Change what happens, also to connections that are open."""
        self.mode = mode
        with self._lock:
            for connection in self._open:
                with contextlib.suppress(OSError):
                    connection.shutdown(socket.SHUT_RDWR)

    def lead_to(self, target: str) -> None:
        """Forward new connections to another address."""
        self._connect = _connector(target)

    def close(self) -> None:
        """Stop listening."""
        self._listening.close()
        self.set(Mode.CUT)

    def _accept(self) -> None:
        while True:
            try:
                connection, _ = self._listening.accept()
            except OSError:
                return
            threading.Thread(target=self._serve, args=(connection,), daemon=True).start()

    def _serve(self, near: socket.socket) -> None:
        with self._lock:
            self._open.add(near)
        mode = self.mode  # another thread may set the next one meanwhile
        with near, contextlib.suppress(OSError):
            if mode in _PAGES:
                near.recv(65536)
                near.sendall(_PAGES[mode])
            elif mode is Mode.HANG:
                while near.recv(65536):
                    pass
            elif mode is not Mode.CUT:
                self._forward(near)
        with self._lock:
            self._open.discard(near)

    def _forward(self, near: socket.socket) -> None:
        with contextlib.ExitStack() as opened:
            far = opened.enter_context(self._connect())
            sinks = [far]
            if self.mode is Mode.DUPLICATE:
                sinks.append(opened.enter_context(self._connect()))
                threading.Thread(target=_swallow, args=(sinks[1],), daemon=True).start()
            with self._lock:
                self._open.update(sinks)
            pause = _DELAY_SECONDS if self.mode is Mode.DELAY else 0.0
            threading.Thread(target=_copy, args=(near, *sinks), kwargs={"pause": pause}, daemon=True).start()
            if self.mode is Mode.LOSE_ANSWERS:
                far.recv(1)  # the service has taken the request and begun to answer
                near.shutdown(socket.SHUT_RDWR)  # closing alone would not wake the thread that reads it
            else:
                _copy(far, near, most=_DRIP_BYTES if self.mode is Mode.DRIP else 65536)
        with self._lock:
            self._open.difference_update(sinks)


def _copy(source: socket.socket, *sinks: socket.socket, most: int = 65536, pause: float = 0.0) -> None:
    with contextlib.suppress(OSError):
        while data := source.recv(most):
            time.sleep(pause)
            for sink in sinks:
                sink.sendall(data)
    for end in (source, *sinks):
        with contextlib.suppress(OSError):
            end.shutdown(socket.SHUT_RDWR)


def _swallow(source: socket.socket) -> None:
    with contextlib.suppress(OSError):
        while source.recv(65536):
            pass


def _connector(target: str) -> Callable[[], socket.socket]:
    """How to reach the address of a service or of a database, which may listen on a Unix socket."""
    parts = urlsplit(target)
    folder = make_url(target).query.get("host") if parts.scheme == "postgresql" else None
    if folder is None:
        return lambda: socket.create_connection((parts.hostname or "127.0.0.1", parts.port or 80))

    def connect() -> socket.socket:
        unix = socket.socket(socket.AF_UNIX)
        try:
            unix.connect(f"{folder}/.s.PGSQL.5432")
        except OSError:
            unix.close()
            raise
        return unix

    return connect


@contextmanager
def proxied(target: str) -> Iterator[Proxy]:
    """A proxy in front of a service."""
    proxy = Proxy(target)
    try:
        yield proxy
    finally:
        proxy.close()


@contextmanager
def proxied_database(url: str) -> Iterator[tuple[Proxy, str]]:
    """A proxy in front of a database, and the address through it."""
    with proxied(url) as proxy:
        port = urlsplit(proxy.url).port
        through = make_url(url).set(host="127.0.0.1", port=port).difference_update_query(["host", "port"])
        yield proxy, through.render_as_string(hide_password=False)
