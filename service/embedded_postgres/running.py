"""Bringing the server up and down: adopt the one that runs or start one, and wait until it is ready.

A server is ready when it accepts connections. After a crash it first recovers, which takes as long as it
takes: there is no time limit while it lives, only messages.
"""

import signal
from collections.abc import Callable, Mapping
from pathlib import Path

from service.embedded_postgres.database import accepts_connections
from service.embedded_postgres.errors import OWN_SERVER, ServerElsewhereError, ServerStartError
from service.embedded_postgres.file_lock import FileLock
from service.embedded_postgres.home import Home
from service.embedded_postgres.installation import Installation
from service.embedded_postgres.launch import launch
from service.embedded_postgres.postmaster import (
    find_leftovers,
    find_postmaster,
    read_pid_file,
    stop_postmaster,
)
from service.embedded_postgres.processes import Process
from service.embedded_postgres.progress import Progress, Report
from service.embedded_postgres.server_log import last_lines, log_sizes
from service.embedded_postgres.socket_folder import SOCKET_NAME, remove_short_folder

# Sessions notice within milliseconds that their server was killed, unless they are deep in a computation.
LEFTOVER_SECONDS = 1.0
# A server that starts can be seen within milliseconds, and on a very busy machine within this.
UNSEEN_SECONDS = 10.0
_QUOTED_LINES = 8


def ensure_running(
    home: Home, sockets: Path, installation: Callable[[], Installation], *, report: Report
) -> None:
    """Return when the home's server accepts connections; the caller holds the home's lock.

    Args:
        home: whose server.
        sockets: the folder for its socket.
        installation: finds the programs, if a server must be started.
        report: is told what a long wait is for.

    Raises:
        ServerStartError: the server ended instead; the message quotes its log.
        ServerElsewhereError: processes out of sight hold the data.
    """
    while True:
        postmaster = find_postmaster(home)
        if postmaster is not None:
            if _becomes_ready(home, postmaster, sockets, report=report):
                return
            stop_postmaster(postmaster, report=report)
            continue
        with FileLock(home.server) as lock:
            if _gets_the_data_alone(home, lock, report):
                _start(home, sockets, installation(), lock, report)
                return


def ensure_stopped(home: Home, *, report: Report) -> None:
    """Stop the home's server, if it runs; the caller holds the home's lock and is the last user."""
    postmaster = find_postmaster(home)
    if postmaster is not None:
        stop_postmaster(postmaster, report=report)
    remove_short_folder(home)


def _gets_the_data_alone(home: Home, lock: FileLock, report: Report) -> bool:
    """Wait until the last process of a killed server has ended, or a server turns up after all.

    Raises:
        ServerElsewhereError: no process is to be seen, and still one holds the data.
    """
    progress = Progress(report)
    while not lock.try_exclusive():
        if find_postmaster(home) is not None:
            return False
        leftovers = find_leftovers(home)
        if leftovers and progress.seconds > LEFTOVER_SECONDS:
            for process in leftovers:
                process.send(signal.SIGQUIT)  # at once, without cleaning up: recovery comes anyway
        elif not leftovers and progress.seconds > UNSEEN_SECONDS:
            raise ServerElsewhereError(
                f"the database in {home.folder} is in use by a server that this process cannot see, "
                f"in another container or on another machine: stop it there, or {OWN_SERVER} for all of them"
            )
        progress.wait(lambda: "waiting for the last processes of a killed server")
    return True


def _start(home: Home, sockets: Path, installation: Installation, lock: FileLock, report: Report) -> None:
    sizes = log_sizes(home)
    postmaster = launch(home, sockets, installation, lock=lock)
    if postmaster is not None and _becomes_ready(home, postmaster, sockets, report=report, since=sizes):
        return
    if postmaster is not None:
        stop_postmaster(postmaster, report=report)
    said = last_lines(home, since=sizes, count=_QUOTED_LINES) or "(nothing)"
    raise ServerStartError(
        f"PostgreSQL ended while it started on {home.data}; the last lines of its log are\n{said}\n"
        f"Correct what they name and start again; the whole log is in {home.log}"
    )


def _becomes_ready(
    home: Home,
    postmaster: Process,
    sockets: Path,
    *,
    report: Report,
    since: Mapping[Path, int] | None = None,
) -> bool:
    """Wait until a server accepts connections, or will not: it died, is stopping, or cannot be reached."""
    progress = Progress(report)
    while postmaster.is_alive():
        pid_file = read_pid_file(home)
        if pid_file.pid != postmaster.pid:
            # Before it is ready, a server has not written its number yet. Later, the file was damaged:
            # the server notices within a minute and stops in a hurry, so it is better stopped in order.
            if accepts_connections(sockets):
                return False
        elif pid_file.status == "stopping":
            return False
        elif pid_file.status == "ready":
            if not (sockets / SOCKET_NAME).exists():
                return False  # a cleaner of temporary files took the socket: nobody will get in any more
            if accepts_connections(sockets):
                return True
        progress.wait(lambda: _reason(home, since))
    return False


def _reason(home: Home, since: Mapping[Path, int] | None) -> str:
    line = last_lines(home, since=since or {}, count=1)
    return "waiting for PostgreSQL to accept connections" + (f"; its log says: {line}" if line else "")
