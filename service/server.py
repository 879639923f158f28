"""Running the application on a socket, and ending without leaving anybody hanging."""

import asyncio
import errno
import ipaddress
import logging
import signal
import socket
import sys
from types import FrameType

import uvicorn
from fastapi import FastAPI
from starlette.types import ASGIApp

GRACE_SECONDS = 5  # what requests in flight get when the process is asked to end
# Turns of the loop in which what was sent before the end is accepted and read: a connection that is closed
# with bytes unread is reset, and its caller gets an error instead of an answer. A connection takes four.
LAST_TURNS = 10
TURN_SECONDS = 0.01


class AddressError(Exception):
    """The address cannot be listened on; the text says why and what to do."""


def bind(host: str, port: int, *, remote: bool = False) -> socket.socket:
    """A listening socket, before anything else is started.

    Args:
        host: address to listen on.
        port: port to listen on; 0 takes a free one.
        remote: whether an address beyond this machine is meant.

    Raises:
        AddressError: the address is taken or not ours, or reaches beyond this machine unasked.
    """
    if not remote and not _is_loopback(host):
        raise AddressError(
            f"{host} can be reached from other machines, and keys would travel unencrypted: put TLS in front "
            "and pass --remote, or listen on 127.0.0.1"
        )
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    # Named as TCP, since asyncio switches Nagle's algorithm off only for sockets that say so: without it
    # every small answer waits 40 ms for an acknowledgement.
    listening = socket.socket(family, socket.SOCK_STREAM, socket.IPPROTO_TCP)
    listening.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    try:
        listening.bind((host, port))
        listening.listen(2048)
    except OSError as error:
        listening.close()
        if error.errno == errno.EADDRINUSE:
            raise AddressError(
                f"port {port} on {host} is in use: stop what listens there, or choose another with --port"
            ) from None
        raise AddressError(f"cannot listen on {host} port {port}: {error.strerror}") from None
    return listening


def url_of(listening: socket.socket) -> str:
    """Address of a listening socket, as a browser takes it."""
    host, port = listening.getsockname()[:2]
    shown = {"0.0.0.0": "127.0.0.1", "::": "[::1]", "::1": "[::1]"}.get(host, host)  # noqa: S104
    return f"http://{shown}:{port}"


def configuration(app: ASGIApp) -> uvicorn.Config:
    """How an application is served here."""
    return uvicorn.Config(
        app,
        log_level=logging.WARNING,
        access_log=False,
        timeout_graceful_shutdown=GRACE_SECONDS,
        server_header=False,
        proxy_headers=False,  # service.proxies reads them, from configured proxies alone
    )


def allow_many_connections() -> None:
    """Raise this process's limit of open files as far as it may: everybody who waits is one."""
    if sys.platform == "win32":  # it has no such limit
        return
    import resource  # noqa: PLC0415

    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    if soft != hard:
        resource.setrlimit(resource.RLIMIT_NOFILE, (hard, hard))


class Server(uvicorn.Server):
    """uvicorn, telling those who wait for schedules to go before it waits for them."""

    def __init__(self, app: FastAPI) -> None:
        super().__init__(configuration(app))
        self._app = app

    def handle_exit(self, sig: int, _frame: FrameType | None) -> None:
        """Begin to end; a second interrupt does not wait for anybody.

        The base class would raise the signal again afterwards, and the process would be gone before those
        who run this server have stopped what they started, such as a database.
        """
        self.force_exit |= self.should_exit and sig == signal.SIGINT
        self.should_exit = True

    def stop(self) -> None:
        """Begin to end, from another thread."""
        self.should_exit = True

    async def shutdown(self, sockets: list[socket.socket] | None = None) -> None:
        """End: what was sent is heard, waiters and streams are let go, answers in flight are waited for."""
        for _ in range(LAST_TURNS):
            await asyncio.sleep(TURN_SECONDS)
        self._app.state.board.close()
        self._app.state.waiters.close()
        await super().shutdown(sockets)


def _is_loopback(host: str) -> bool:
    if host == "localhost":
        return True
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return False
