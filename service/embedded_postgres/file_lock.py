"""Locks between processes: `flock` on files, which the kernel gives back however a process ends.

A lock belongs to the open file, not to the process. A child that inherits the open file holds the lock
with its parent, and the lock is free once the last of them has closed it or died. No counter is kept
anywhere, so nothing can be left too high by a process that was killed.
"""

import os
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from types import TracebackType
from typing import Self

from service.embedded_postgres.progress import Progress, Report

if sys.platform != "win32":
    import fcntl


class FileLock:
    """An open file that can be locked; closing it gives the lock back."""

    def __init__(self, path: Path) -> None:
        # Opened for writing, though nothing is written: network file systems want that for exclusive locks.
        self._descriptor = os.open(path, os.O_RDWR | os.O_CREAT | os.O_NOFOLLOW | os.O_CLOEXEC, 0o600)

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        self.close()

    def fileno(self) -> int:
        """The descriptor, for a child that is to hold the lock too."""
        return self._descriptor

    def try_exclusive(self) -> bool:
        """Lock for this open file alone, if no other holds any lock; replaces a shared lock of its own."""
        return self._try(fcntl.LOCK_EX)

    def try_shared(self) -> bool:
        """Lock together with other sharers, if no other holds the exclusive lock."""
        return self._try(fcntl.LOCK_SH)

    def unlock(self) -> None:
        """Give the lock back and keep the file open; a closed file has given it back already."""
        if self._descriptor >= 0:
            fcntl.flock(self._descriptor, fcntl.LOCK_UN)

    def close(self) -> None:
        """Close the file; a second call does nothing."""
        if self._descriptor >= 0:
            os.close(self._descriptor)
            self._descriptor = -1

    @contextmanager
    def held(self, report: Report) -> Iterator[None]:
        """Wait for the exclusive lock, hold it, and give it back."""
        progress = Progress(report)
        # Polled, since a blocking flock could tell nobody what it waits for.
        while not self.try_exclusive():
            progress.wait(lambda: "another process is creating, starting or stopping the database")
        try:
            yield
        finally:
            self.unlock()

    def _try(self, operation: int) -> bool:
        try:
            fcntl.flock(self._descriptor, operation | fcntl.LOCK_NB)
        except BlockingIOError:
            return False
        return True
