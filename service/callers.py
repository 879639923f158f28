"""Who calls: found by an API key or a browser session, and remembered for a few seconds.

Without the memory every request would cost a query and a trip to the thread pool before it even begins.
"""

import time
from collections.abc import Callable, Mapping

import anyio
import anyio.to_thread
from sqlalchemy import event
from sqlalchemy.orm import Session

from service.db import Database
from service.keys.service import principal_of_key
from service.keys.sessions import principal_of_session
from service.presence import Presence
from service.scopes import Principal

COOKIE = "mixwright_session"
MEMORY_SECONDS = 5.0  # how long another process may still answer a key that was revoked in this one
_MOST_REMEMBERED = 10_000
_THREADS = 2  # of their own: those that all endpoints share may all hang on a lock


class Callers:
    """Principals by what they show.

    Args:
        database: where keys and sessions are.
    """

    def __init__(self, database: Database) -> None:
        self.presence = Presence(database)
        self._database = database
        self._known: dict[str, tuple[float, Principal]] = {}
        self._threads = anyio.CapacityLimiter(_THREADS)

    async def find(self, headers: Mapping[str, str]) -> Principal | None:
        """Whoever sent these headers; None if nobody is known by them."""
        kind, _, text = headers.get("authorization", "").partition(" ")
        if kind:
            find: Callable[[Session, str], Principal | None] = principal_of_key
            credential = text.strip() if kind.lower() == "bearer" else ""
        else:
            find, credential = principal_of_session, session_token(headers)
        if not credential:
            return None
        slot = f"{find.__name__} {credential}"
        remembered, known = self._known, self._known.get(slot)
        if known is not None and known[0] > time.monotonic():
            return known[1]
        principal = await anyio.to_thread.run_sync(self._look_up, find, credential, limiter=self._threads)
        if principal is None:
            remembered.pop(slot, None)
        else:
            self.presence.seen(principal)
            if len(remembered) >= _MOST_REMEMBERED:
                remembered.clear()
            # Into the memory of before the query: one that was replaced meanwhile stays forgotten.
            remembered[slot] = (time.monotonic() + min(MEMORY_SECONDS, principal.seconds_left), principal)
        return principal

    def forget_after(self, session: Session) -> None:
        """Forget everybody once a session's work is committed: it takes a key or a login away."""

        def forget(_: Session) -> None:
            self._known = {}

        event.listen(session, "after_commit", forget, once=True)

    def _look_up(self, find: Callable[[Session, str], Principal | None], credential: str) -> Principal | None:
        return self._database.transact(lambda session: find(session, credential))


def session_token(headers: Mapping[str, str]) -> str:
    """The token of the browser session that a request shows; empty for none."""
    for part in headers.get("cookie", "").split(";"):
        name, _, value = part.strip().partition("=")
        if name == COOKIE:
            return value
    return ""
