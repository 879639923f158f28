"""A PostgreSQL server on a disk of its own, small enough to be filled.

It is run by a program of its own (`small_disk_program.py`), in whose mount namespace the disk is: nobody else
sees it, and it goes with the program.
"""

import os
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from urllib.parse import quote, unquote

ROOT = Path(__file__).parents[2]
UNSHARE = "unshare"


class SmallDisk:
    """The server, as a test sees it.

    Args:
        place: an empty folder, on which the disk is mounted.
    """

    def __init__(self, place: Path) -> None:
        program = Path(__file__).with_name("small_disk_program.py")
        as_root = [] if os.geteuid() == 0 else ["--user", "--map-root-user"]
        self._program = subprocess.Popen(
            [UNSHARE, "--mount", *as_root, sys.executable, str(program), str(place), str(os.geteuid())],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
            env={**os.environ, "PYTHONPATH": str(ROOT)},
        )
        # The socket lies on that disk: seen from outside, below the root of the program.
        pid, url = self._answer().split(" ", 1)
        before, socket = url.split("host=", 1)
        folder, rest = socket.split("&", 1)
        self.url = f"{before}host={quote(f'/proc/{pid}/root{unquote(folder)}', safe='')}&{rest}"

    def tell(self, order: str) -> str:
        """Have something done: fill, free, start, stop, check."""
        assert self._program.stdin is not None
        self._program.stdin.write(order + "\n")
        self._program.stdin.flush()
        return self._answer()

    def close(self) -> None:
        """End the server and its disk."""
        assert self._program.stdin is not None
        self._program.stdin.close()
        self._program.wait(60)
        assert self._program.stdout is not None
        self._program.stdout.close()

    def _answer(self) -> str:
        assert self._program.stdout is not None
        line = self._program.stdout.readline()
        assert line, "the server's program ended"
        return line.strip()


@contextmanager
def small_disk(place: Path) -> Iterator[SmallDisk]:
    """A server that is gone afterwards."""
    disk = SmallDisk(place)
    try:
        yield disk
    finally:
        disk.close()
