"""Processes of the system, each held by its number and its creation time.

A number alone passes to another process once its owner has ended; the pair does not. What cannot be seen,
because the process has ended or the system keeps it from us, is empty and raises nothing.
"""

import os
import signal
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path
from typing import Self

import psutil


class Process:
    """One process, alive when it was found."""

    def __init__(self, found: psutil.Process) -> None:
        self._found = found

    @classmethod
    def numbered(cls, pid: int) -> Self | None:
        """The process that has a number now, if any has."""
        try:
            return cls(psutil.Process(pid))
        except (psutil.Error, OverflowError, ValueError):
            return None

    @property
    def pid(self) -> int:
        """Its number."""
        return int(self._found.pid)

    def runs_as(self, uid: int) -> bool:
        """Whether it runs under an account."""
        try:
            return int(self._found.uids().real) == uid
        except psutil.Error:
            return False

    def command_line(self) -> list[str]:
        """Its arguments, or the title that it gave itself."""
        try:
            return [str(argument) for argument in self._found.cmdline()]
        except psutil.Error:
            return []

    def program(self) -> str:
        """Name of the program that it runs.

        Root in a container may be refused this for another account's process.
        """
        try:
            # The program can be gone from the disk after an upgrade, while the process still runs.
            return Path(str(self._found.exe())).name.removesuffix(" (deleted)")
        except psutil.Error:
            return ""

    def is_alive(self) -> bool:
        """Whether it still runs; one that has ended and only waits to be fetched by its parent does not."""
        try:
            return bool(self._found.is_running()) and self._found.status() != psutil.STATUS_ZOMBIE
        except psutil.Error:
            return False

    def fetch(self) -> None:
        """Let it go after its end if we are its parent: a container's first process inherits orphans."""
        with suppress(ChildProcessError):
            os.waitpid(self.pid, os.WNOHANG)

    def send(self, number: signal.Signals) -> None:
        """Send a signal, unless it has ended."""
        with suppress(psutil.NoSuchProcess):
            self._found.send_signal(number)


def living(uid: int) -> Iterator[Process]:
    """All processes that run under an account."""
    for found in psutil.process_iter():
        process = Process(found)
        if process.runs_as(uid) and process.is_alive():
            yield process
