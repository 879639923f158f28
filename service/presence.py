"""Whose keys and browser sessions are in use: noted now and then, and watched while something is held open.

No request waits for either: a note is written, and the watch is kept, by one loop beside the requests.
"""

import asyncio
import contextlib
import logging
import time
from collections.abc import Callable, Collection, Iterator
from dataclasses import dataclass
from uuid import UUID

import anyio
import anyio.to_thread
from sqlalchemy.orm import Session

from service.db import Database
from service.keys import repository
from service.keys.sessions import IDLE
from service.models import ApiKey, BrowserSession
from service.problem_details import DATABASE_AWAY
from service.scopes import Principal

_log = logging.getLogger("service")

WATCH_SECONDS = 2.0  # how soon what a revoked key holds open is told to end
NOTE_SECONDS = 60.0  # how far behind a last use may be


@dataclass(eq=False)
class Held:
    """Something that a caller holds open.

    Args:
        allowed: whether the caller still may.
        on_end: called once, when that ends.
    """

    allowed: bool = True
    on_end: Callable[[], None] = lambda: None

    def end(self) -> None:
        """Say that the caller may no longer."""
        self.allowed = False
        self.on_end()


@dataclass(frozen=True)
class _Credential:
    """A key or a browser session."""

    table: type[ApiKey | BrowserSession]
    id: UUID


class Presence:
    """Last uses, and whether those who wait are still let.

    Args:
        database: where keys and sessions are.
    """

    def __init__(self, database: Database) -> None:
        self._database = database
        self._used: set[_Credential] = set()
        self._held: dict[_Credential, set[Held]] = {}
        self._thread = anyio.CapacityLimiter(1)  # of its own: those of the endpoints may all hang on a lock

    def seen(self, principal: Principal) -> None:
        """Note that somebody called."""
        self._used |= {_Credential(ApiKey, principal.key_id)} if principal.key_id else set()
        self._used |= {_Credential(BrowserSession, principal.session_id)} if principal.session_id else set()

    @contextlib.contextmanager
    def held(self, principal: Principal) -> Iterator[Held]:
        """Watch over a caller for as long as something is open."""
        credential, held = _shown(principal), Held()
        self._held.setdefault(credential, set()).add(held)
        try:
            yield held
        finally:
            self._held[credential].discard(held)
            if not self._held[credential]:
                del self._held[credential]

    async def keep(self) -> None:
        """Write notes and keep the watch, until cancelled."""
        noted_at = time.monotonic()
        while True:
            await asyncio.sleep(WATCH_SECONDS)
            watched = set(self._held)
            used: set[_Credential] = set()
            if time.monotonic() - noted_at >= NOTE_SECONDS:
                used, self._used, noted_at = self._used, used, time.monotonic()
            try:
                if watched or used:
                    alive = await anyio.to_thread.run_sync(self._look, watched, used, limiter=self._thread)
                    self._end(watched - alive)
            except DATABASE_AWAY as error:
                self._used |= used
                _log.warning("nobody watches over keys while the database is away: %s", type(error).__name__)

    def _end(self, gone: Collection[_Credential]) -> None:
        for credential in gone:
            for held in tuple(self._held.get(credential, ())):
                if held.allowed:
                    held.end()

    def _look(self, watched: Collection[_Credential], used: Collection[_Credential]) -> set[_Credential]:
        with self._database.session() as session:
            for table in (ApiKey, BrowserSession):
                repository.note_use(session, table, _ids(table, used))
            return _alive(session, watched)


def _shown(principal: Principal) -> _Credential:
    """What a caller shows: the session, where there is one, else the key."""
    return _Credential(ApiKey if principal.session_id is None else BrowserSession, principal.id)


def _ids(table: type[ApiKey | BrowserSession], credentials: Collection[_Credential]) -> list[UUID]:
    return [credential.id for credential in credentials if credential.table is table]


def _alive(session: Session, credentials: Collection[_Credential]) -> set[_Credential]:
    keys = repository.keys_alive(session, _ids(ApiKey, credentials))
    sessions = repository.sessions_alive(session, _ids(BrowserSession, credentials), idle=IDLE)
    return {_Credential(ApiKey, key) for key in keys} | {
        _Credential(BrowserSession, found) for found in sessions
    }
