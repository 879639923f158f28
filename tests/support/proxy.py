"""A TCP proxy between a client and a service, which can be told to fail in the ways networks do."""

import contextlib
import socket
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from enum import Enum
from urllib.parse import urlsplit


class Mode(Enum):
    """What the proxy does with connections."""

    PASS = "pass"
    CUT = "cut"  # closes every connection at once
    HANG = "hang"  # takes bytes and never answers
    GARBAGE = "garbage"  # answers with the page of some other server
    TROUBLED = "troubled"  # answers that the service is not to be reached
    LOSE_ANSWERS = "lose answers"  # lets requests through, cuts before the answer


_PAGE = b"Content-Type: text/html\r\nContent-Length: 15\r\nConnection: close\r\n\r\n<html>hi</html>"
_PAGES = {
    Mode.GARBAGE: b"HTTP/1.1 200 OK\r\n" + _PAGE,
    Mode.TROUBLED: b"HTTP/1.1 503 Service Unavailable\r\n" + _PAGE,
}


class Proxy:
    """Listens on a port of its own and forwards to a service."""

    def __init__(self, target: str) -> None:
        parts = urlsplit(target)
        self._target = (parts.hostname or "127.0.0.1", parts.port or 80)
        self._listening = socket.create_server(("127.0.0.1", 0))
        self._open: set[socket.socket] = set()
        self._lock = threading.Lock()
        self._mode = Mode.PASS
        self.url = f"http://127.0.0.1:{self._listening.getsockname()[1]}"
        threading.Thread(target=self._accept, daemon=True).start()

    def set(self, mode: Mode) -> None:
        """Change what happens, also to connections that are open."""
        self._mode = mode
        with self._lock:
            for connection in self._open:
                with contextlib.suppress(OSError):
                    connection.shutdown(socket.SHUT_RDWR)

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
        with near, contextlib.suppress(OSError):
            if self._mode in _PAGES:
                near.recv(65536)
                near.sendall(_PAGES[self._mode])
            elif self._mode is Mode.HANG:
                while near.recv(65536):
                    pass
            elif self._mode in {Mode.PASS, Mode.LOSE_ANSWERS}:
                self._forward(near)
        with self._lock:
            self._open.discard(near)

    def _forward(self, near: socket.socket) -> None:
        with socket.create_connection(self._target) as far:
            with self._lock:
                self._open.add(far)
            upward = threading.Thread(target=_copy, args=(near, far), daemon=True)
            upward.start()
            if self._mode is Mode.LOSE_ANSWERS:
                far.recv(1)  # the service has taken the request and begun to answer
                near.shutdown(socket.SHUT_RDWR)  # closing alone would not wake the thread that reads it
            else:
                _copy(far, near)
        with self._lock:
            self._open.discard(far)


def _copy(source: socket.socket, sink: socket.socket) -> None:
    with contextlib.suppress(OSError):
        while data := source.recv(65536):
            sink.sendall(data)
    for end in (source, sink):
        with contextlib.suppress(OSError):
            end.shutdown(socket.SHUT_RDWR)


@contextmanager
def proxied(target: str) -> Iterator[Proxy]:
    """A proxy in front of a service."""
    proxy = Proxy(target)
    try:
        yield proxy
    finally:
        proxy.close()
