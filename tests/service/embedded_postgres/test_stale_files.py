"""What a dead server left behind is not believed, and nobody else's process is harmed."""

import os
import signal
import subprocess
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from service.embedded_postgres import EmbeddedPostgres
from service.embedded_postgres.account import Account
from tests.service.embedded_postgres.actors import is_gone, postmaster, rows, until

Embedded = Callable[..., EmbeddedPostgres]
PID_FILE = "{pid}\n{data}\n1750000000\n5432\n{sockets}\n\n  8388726    491525\nready   \n"


@pytest.fixture
def bystander(server_account: Account) -> Iterator[subprocess.Popen[bytes]]:
    """A process that has nothing to do with it, under the account that the server runs under."""
    own = server_account.is_own
    with subprocess.Popen(
        ["/bin/sleep", "600"],
        user=None if own else server_account.uid,
        extra_groups=None if own else [],
        cwd="/",
    ) as process:
        yield process
        process.kill()


def pid_file(home: Path, pid: object) -> bytes:
    return PID_FILE.format(pid=pid, data=home / "cluster" / "data", sockets=home / "socket").encode()


def test_a_pid_file_of_a_dead_process_is_ignored(embedded: Embedded, stopped: Path) -> None:
    dead = subprocess.Popen(["/bin/true"])
    dead.wait()
    (stopped / "cluster" / "data" / "postmaster.pid").write_bytes(pid_file(stopped, dead.pid))
    assert rows(embedded().start().url, "SELECT 1") == [(1,)]


def test_a_process_that_got_the_number_of_a_dead_server_is_never_signalled(
    embedded: Embedded, stopped: Path, bystander: subprocess.Popen[bytes]
) -> None:
    received: list[int] = []
    numbers = (signal.SIGINT, signal.SIGTERM, signal.SIGQUIT)
    before = {number: signal.signal(number, lambda number, _: received.append(number)) for number in numbers}
    try:
        for pid in (bystander.pid, os.getpid(), os.getppid(), 1, -bystander.pid, 0):
            (stopped / "cluster" / "data" / "postmaster.pid").write_bytes(pid_file(stopped, pid))
            socket_lock = stopped / "socket" / ".s.PGSQL.5432.lock"
            socket_lock.write_bytes(pid_file(stopped, pid))
            with embedded() as server:
                assert rows(server.url, "SELECT 1") == [(1,)]
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)
    assert bystander.poll() is None
    assert received == []


@pytest.mark.parametrize(
    "content",
    [
        b"",
        b"\n",
        b"12",
        b"garbage\xff\x00",
        b"9" * 5000,
        b"9999999999\n",
        b"99999999999999",
        b"-1\n",
        "٣\n".encode(),
    ],
)
def test_a_damaged_pid_file_is_ignored(embedded: Embedded, stopped: Path, content: bytes) -> None:
    (stopped / "cluster" / "data" / "postmaster.pid").write_bytes(content)
    assert rows(embedded().start().url, "SELECT 1") == [(1,)]


def test_the_server_of_another_folder_is_not_taken_for_ours(
    embedded: Embedded, place: Path, stopped: Path
) -> None:
    other = embedded(place / "other").start()
    theirs = postmaster(place / "other")
    (stopped / "cluster" / "data" / "postmaster.pid").write_bytes(pid_file(stopped, theirs.pid))
    with embedded() as server:
        assert server.url != other.url
    assert rows(other.url, "SELECT 1") == [(1,)]
    assert not is_gone(theirs)


@pytest.mark.usefixtures("stopped")
def test_looking_for_the_server_takes_no_exit_status_from_another_part_of_this_process(
    embedded: Embedded, server_account: Account
) -> None:
    own = server_account.is_own
    child = subprocess.Popen(["/bin/sh", "-c", "exit 7"], user=None if own else server_account.uid)
    until(lambda: Path(f"/proc/{child.pid}/stat").read_text().rpartition(")")[2].split()[0] == "Z")
    embedded().start()
    assert child.wait() == 7
