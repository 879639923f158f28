"""Transactions that failed: which of them may be run again, and how often.

PostgreSQL ends one of two that wait for each other, and one that it cannot put in order with others. Such a
transaction has certainly changed nothing, and runs through when it is run again. So does one whose connection
was lost before its commit was sent. Where the commit itself got no answer nobody knows: it is repeated only
if that is harmless.
"""

import random
from collections.abc import Callable
from typing import TypeVar

from sqlalchemy.exc import DBAPIError
from sqlalchemy.orm import Session

MOST_CONFLICTS = 3  # further tries; what still collides then is asked for too often, and better refused
MOST_LOSSES = 1  # a server that was restarted answers at once, or else not soon
_FIRST_PAUSE_SECONDS = 0.01  # doubled with each try, and shortened at random: two that collided must part
_CONFLICTS = frozenset({"40001", "40P01"})  # serialisation failure, deadlock
# Ended by an operator, the server stopping or crashing; all others of lost connections have no SQLSTATE.
_LOST = frozenset({"57P01", "57P02", "08003", "08006"})

T = TypeVar("T")


class TryAgainError(Exception):
    """What was done has changed nothing, and is to be done again from its beginning.

    Args:
        pause_seconds: to wait before that.
    """

    def __init__(self, pause_seconds: float) -> None:
        super().__init__("the transaction is run again")
        self.pause_seconds = pause_seconds


class Tries:
    """How often one piece of work may still be run again."""

    def __init__(self, *, conflicts: int = MOST_CONFLICTS, losses: int = MOST_LOSSES) -> None:
        self._conflicts = conflicts
        self._losses = losses

    def pause(self, error: DBAPIError, *, repeatable: bool) -> float | None:
        """Seconds to wait before another try; None if there must be none.

        Args:
            error: what the transaction failed of.
            repeatable: whether another try is harmless even if this one was committed after all.
        """
        if sqlstate(error) in _CONFLICTS and self._conflicts > 0:
            self._conflicts -= 1
            longest: float = _FIRST_PAUSE_SECONDS * 2 ** (MOST_CONFLICTS - self._conflicts)
            return longest * random.uniform(0.5, 1.0)  # noqa: S311 - no secret
        if connection_lost(error) and repeatable and self._losses > 0:
            self._losses -= 1
            return 0.0
        return None


def sqlstate(error: BaseException) -> str | None:
    """PostgreSQL's code of an error; None if it has none."""
    found = getattr(getattr(error, "orig", error), "sqlstate", None)
    return found if isinstance(found, str) else None


def connection_lost(error: DBAPIError) -> bool:
    """Whether the connection went away in the middle of a transaction; not if none was to be had."""
    return error.connection_invalidated or sqlstate(error) in _LOST


def committing(session: Session) -> None:
    """Note that what fails from now on may have been committed."""
    session.info["committing"] = True


def outcome_unknown(session: Session) -> bool:
    """Whether the commit of a session was sent."""
    return bool(session.info.get("committing"))


def repeated(work: Callable[[], T], pause: Callable[[float], None]) -> T:
    """Do work that is harmless to repeat, until it is done or must not be tried again.

    Args:
        work: a transaction whose effects know whether they are there already.
        pause: waits some seconds.
    """
    tries = Tries()
    while True:
        try:
            return work()
        except DBAPIError as error:
            seconds = tries.pause(error, repeatable=True)
            if seconds is None:
                raise
        pause(seconds)
