"""Mounts a small disk, runs a server on it, and does what it is told: a line in, a line out."""

import ctypes
import os
import subprocess
import sys
from pathlib import Path

from service.embedded_postgres import EmbeddedPostgres
from service.embedded_postgres.account import run_as
from service.embedded_postgres.home import find_home
from service.embedded_postgres.installation import client_program

MOUNT = "mount"
_MEGABYTES = 128
_NEW_USER = 0x10000000  # CLONE_NEWUSER


def _mounted(place: Path, uid: int) -> None:
    subprocess.run(
        [MOUNT, "-t", "tmpfs", "-o", f"size={_MEGABYTES}m,mode=755", "tmpfs", str(place)], check=True
    )
    if uid != 0:
        # Back to the account of the test, in a namespace within: PostgreSQL refuses to run as root.
        libc = ctypes.CDLL(None, use_errno=True)
        if libc.unshare(_NEW_USER) != 0:
            raise OSError(ctypes.get_errno(), "unshare")
        Path("/proc/self/uid_map").write_text(f"{uid} 0 1\n")


def _fill(place: Path) -> None:
    with (place / "ballast").open("wb", buffering=0) as file:
        for size in (2**20, 2**12):
            try:
                while True:
                    file.write(bytes(size))
            except OSError:
                continue


def _say(line: str) -> None:
    sys.stdout.write(line + "\n")
    sys.stdout.flush()


def _main(place: Path, uid: int) -> None:
    _mounted(place, uid)
    server = EmbeddedPostgres(place / "postgres")
    running = server.start()
    _say(f"{os.getpid()} {running.url}")
    for line in sys.stdin:
        order, said = line.strip(), "done"
        if order == "fill":
            _fill(place)
        elif order == "free":
            (place / "ballast").unlink()
        elif order == "start":
            server.start()
        elif order == "stop":
            server.release()
        elif order == "check":
            home = find_home(place / "postgres", report=lambda _: None)
            checked = run_as(home.account, [str(client_program("pg_checksums")), "--check", "-D", home.data])
            said = f"{checked.returncode} {' '.join(checked.stdout.split())}"
        _say(said)
    server.release()


if __name__ == "__main__":
    _main(Path(sys.argv[1]), int(sys.argv[2]))
