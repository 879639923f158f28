"""Which process is the server: told by what the process is, never by a number in a file alone.

`postmaster.pid` survives a crash, and its number may belong to anybody by then. A process is this home's
server if it runs under the account, its program is `postgres`, and it was started on this data folder.
"""

import signal
from dataclasses import dataclass
from pathlib import Path

from service.embedded_postgres.home import Home
from service.embedded_postgres.processes import Process, living
from service.embedded_postgres.progress import Progress, Report


@dataclass(frozen=True)
class PidFile:
    """What `postmaster.pid` says: the first line, and the last one, which a running server keeps current."""

    pid: int | None
    status: str


def read_pid_file(home: Home) -> PidFile:
    """Read `postmaster.pid`, of which nothing is believed that is not well formed."""
    try:
        lines = pid_file_path(home).read_bytes().decode(errors="replace").splitlines()
    except FileNotFoundError:
        lines = []
    first = lines[0].strip() if lines else ""
    # A process number has at most ten digits: Python refuses to read numbers of thousands.
    well_formed = first.isascii() and first.isdigit() and len(first) <= 10
    return PidFile(int(first) if well_formed else None, lines[7].strip() if len(lines) > 7 else "")


def pid_file_path(home: Home) -> Path:
    """Where the server writes its number."""
    return home.data / "postmaster.pid"


def find_postmaster(home: Home) -> Process | None:
    """The server's first process, if it lives, whether or not the pid file names it."""
    pid = read_pid_file(home).pid
    named = Process.numbered(pid) if pid is not None else None
    if named is not None and _is_postmaster(named, home):
        return named
    return next((process for process in living(home.account.uid) if _is_postmaster(process, home)), None)


def find_leftovers(home: Home) -> list[Process]:
    """Processes that outlive a killed server: sessions that have not noticed yet."""
    # PostgreSQL's children write their titles over the command line that they inherit.
    title = f"postgres: {home.label}: "
    return [p for p in living(home.account.uid) if " ".join(p.command_line()).startswith(title)]


def stop_postmaster(postmaster: Process, *, report: Report) -> None:
    """Shut the server down in order and wait for its end: sessions are cut, nothing committed is lost."""
    progress = Progress(report)
    postmaster.send(signal.SIGINT)  # PostgreSQL's fast shutdown
    while postmaster.is_alive():
        progress.wait(lambda: "PostgreSQL is shutting down")
    postmaster.fetch()


def _is_postmaster(process: Process, home: Home) -> bool:
    arguments = process.command_line()
    return (
        process.runs_as(home.account.uid)
        and arguments[1:3] == ["-D", str(home.data)]
        and Path(arguments[0]).name == "postgres"
        and process.program() in {"postgres", ""}
        and process.is_alive()
    )
