"""The notice board: schedules in memory, and whoever waits for the next one.

A poll is answered from memory. A new version, written by this process or by another on the same
database, is heard of by LISTEN; where a notification is lost, an entry is read again after a few seconds.
Nobody who waits holds a database connection.
"""

import asyncio
import logging
import time
from dataclasses import dataclass, field
from uuid import UUID

import anyio.to_thread
import psycopg

from service.db import Database
from service.jobs import repository, schedules
from service.jobs import service as jobs

_log = logging.getLogger("service.jobs")

FRESH_SECONDS = 5.0  # how old an entry may be when a notification was lost
_RECONNECT_SECONDS = 1.0


@dataclass(eq=False)
class Entry:
    """A schedule as it is sent."""

    job_id: UUID
    etag: str
    body: bytes
    read_at: float
    replaced: asyncio.Event = field(default_factory=asyncio.Event)


class Board:
    """Schedules by project and job name.

    Args:
        database: where they are read.
    """

    def __init__(self, database: Database) -> None:
        self.closing = asyncio.Event()
        self._database = database
        self._entries: dict[tuple[UUID, str], Entry] = {}
        self._heard = False

    async def get(self, project_id: UUID, name: str) -> Entry:
        """The schedule of a job.

        Raises:
            NotFoundError: the project has no such job.
        """
        entry = self._entries.get((project_id, name))
        fresh = entry is not None and time.monotonic() - entry.read_at < FRESH_SECONDS
        if entry is None or entry.replaced.is_set() or not fresh or not self._heard:
            entry = await self._read(project_id, name, entry)
        return entry

    async def changed(self, project_id: UUID, name: str, etag: str | None, seconds: float) -> Entry | None:
        """Wait for a schedule with another ETag, for at most some seconds; None if none came."""
        deadline = time.monotonic() + seconds
        while True:
            entry = await self.get(project_id, name)
            left = deadline - time.monotonic()
            if entry.etag != etag:
                return entry
            if left <= 0 or self.closing.is_set():
                return None
            await self._either(entry.replaced, min(left, FRESH_SECONDS))

    async def listen(self) -> None:
        """Hear of new versions until cancelled."""
        while True:
            try:
                connection = await psycopg.AsyncConnection.connect(self._database.conninfo, autocommit=True)
                async with connection:
                    await connection.execute(f"LISTEN {repository.CHANNEL}")
                    self._heard = True
                    self._replace_all()  # what was announced while nobody listened
                    async for notification in connection.notifies():
                        self._replace(notification.payload)
            except psycopg.Error as error:
                _log.warning("not listening for new schedules, they are read from the database: %s", error)
            finally:
                self._heard = False
            await asyncio.sleep(_RECONNECT_SECONDS)

    def close(self) -> None:
        """Let everybody who waits go, so that the process can end."""
        self.closing.set()
        self._replace_all()

    async def _read(self, project_id: UUID, name: str, old: Entry | None) -> Entry:
        entry = await anyio.to_thread.run_sync(self._load, project_id, name)
        if old is not None and old.etag == entry.etag and not old.replaced.is_set():
            old.read_at = entry.read_at
            return old
        self._entries[project_id, name] = entry
        if old is not None:
            old.replaced.set()
        return entry

    def _load(self, project_id: UUID, name: str) -> Entry:
        read_at = time.monotonic()  # before the query: a change during it must not look fresh
        with self._database.session() as session:
            job = jobs.get(session, project_id, name)
            document = schedules.document(session, job)
        body = document.model_dump_json(by_alias=True).encode()
        return Entry(job.id, schedules.etag(document.attempt, document.version), body, read_at)

    def _replace(self, payload: str) -> None:
        for entry in self._entries.values():
            if str(entry.job_id) == payload:
                entry.replaced.set()

    def _replace_all(self) -> None:
        for entry in self._entries.values():
            entry.replaced.set()

    async def _either(self, event: asyncio.Event, seconds: float) -> None:
        try:
            async with asyncio.timeout(seconds):
                await event.wait()
        except TimeoutError:
            return
