"""What becomes of clients when their process forks, and when it ends.

A fork copies the memory of a process and one of its threads. The copy of a client has no threads, its
connections belong to the process that was forked, and so do its files: it may only be read. An
interpreter that ends without `close` writes to disk what its clients have not handed over yet.
"""

import atexit
import os
from typing import Protocol
from weakref import WeakSet


class Resident(Protocol):
    """Somebody with threads, connections and files."""

    def forked(self) -> None:
        """This process is a copy of the one that has them: leave them alone."""

    def exiting(self) -> None:
        """The interpreter ends: write down what would be lost, and wait for nothing."""


_residents: WeakSet[Resident] = WeakSet()


def reside(somebody: Resident) -> None:
    """Tell them of forks and of the end of the interpreter, for as long as they live."""
    _residents.add(somebody)


def _in_child() -> None:
    for somebody in list(_residents):
        somebody.forked()


def _at_exit() -> None:
    for somebody in list(_residents):
        somebody.exiting()


if hasattr(os, "register_at_fork"):  # not on Windows, which does not fork
    os.register_at_fork(after_in_child=_in_child)
atexit.register(_at_exit)
