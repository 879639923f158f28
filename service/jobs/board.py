"""The notice board: schedules in memory, and whoever waits for the next one.

A poll is answered from memory. A new version, written by this process or by another on the same
database, is heard of by LISTEN; where a notification is lost, an entry is read again after a few seconds.
Nobody who waits holds a database connection, and of those who are woken together one reads for all.
"""

import asyncio
import logging
import time
from collections.abc import Callable, Collection
from dataclasses import dataclass, field
from uuid import UUID

import anyio
import anyio.to_thread
import psycopg

from service.db import Database
from service.jobs import repository, schedules
from service.jobs import service as jobs

_log = logging.getLogger("service.jobs")

FRESH_SECONDS = 5.0  # how old an entry may be when a notification was lost
_RECONNECT_SECONDS = 1.0
_THREADS = 2  # of its own: those that all endpoints share may all hang on a lock


@dataclass(eq=False)
class Entry:
    """A schedule as it is sent."""

    job_id: UUID
    etag: str
    body: bytes
    read_at: float
    replaced: asyncio.Event = field(default_factory=asyncio.Event)


@dataclass(eq=False)
class _Reading:
    """A schedule that is being read, and what was announced meanwhile: the query may not have seen it."""

    ended: asyncio.Event = field(default_factory=asyncio.Event)
    announced: set[str | None] = field(default_factory=set)
    outcome: Entry | Exception | None = None  # none if whoever read was cancelled


class Board:
    """Schedules by project and job name.

    Args:
        database: where they are read.
    """

    def __init__(self, database: Database) -> None:
        self.closing = asyncio.Event()
        self._database = database
        self._entries: dict[tuple[UUID, str], Entry] = {}
        self._readings: dict[tuple[UUID, str], _Reading] = {}
        self._heard = False
        self._threads = anyio.CapacityLimiter(_THREADS)

    async def get(self, project_id: UUID, name: str) -> Entry:
        """The schedule of a job.

        Raises:
            NotFoundError: the project has no such job.
        """
        key = project_id, name
        entry = self._entries.get(key)
        while entry is None or not self._is_current(entry):
            reading = self._readings.get(key)
            if reading is None:
                return await self._read(project_id, name)
            await reading.ended.wait()
            if isinstance(reading.outcome, Exception):
                raise reading.outcome
            if reading.outcome is not None and not reading.outcome.replaced.is_set():
                return reading.outcome  # read while we waited, even if nobody listens at the moment
            entry = self._entries.get(key)
        return entry

    async def changed(
        self,
        project_id: UUID,
        name: str,
        etag: str | None,
        seconds: float,
        allowed: Callable[[], bool] = lambda: True,
    ) -> Entry | None:
        """Wait for a schedule with another ETag, for at most some seconds; None if none came.

        Whoever is no longer allowed gets none, within the seconds after which an entry is looked at again.
        """
        deadline = time.monotonic() + seconds
        while True:
            entry = await self.get(project_id, name)
            left = deadline - time.monotonic()
            if not allowed():
                return None
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
                    self._replace(None)  # what was announced while nobody listened
                    async for notification in connection.notifies():
                        self._replace(notification.payload)
            except psycopg.Error as error:
                _log.warning("not listening for new schedules, they are read from the database: %s", error)
            finally:
                self._heard = False
            await asyncio.sleep(_RECONNECT_SECONDS)

    def published(self, job_ids: Collection[UUID]) -> None:
        """Hear at once of versions that this very process has published; notifications take a moment."""
        for job_id in job_ids:
            self._replace(str(job_id))

    def close(self) -> None:
        """Let everybody who waits go, so that the process can end."""
        self.closing.set()
        self._replace(None)

    def _is_current(self, entry: Entry) -> bool:
        fresh = time.monotonic() - entry.read_at < FRESH_SECONDS
        return fresh and self._heard and not entry.replaced.is_set()

    async def _read(self, project_id: UUID, name: str) -> Entry:
        key = project_id, name
        reading = self._readings[key] = _Reading()
        try:
            entry = await anyio.to_thread.run_sync(self._load, project_id, name, limiter=self._threads)
        except Exception as error:
            reading.outcome = error
            raise
        else:
            reading.outcome = self._put(key, entry, reading)
            return reading.outcome
        finally:
            del self._readings[key]
            reading.ended.set()

    def _put(self, key: tuple[UUID, str], entry: Entry, reading: _Reading) -> Entry:
        """Remember what was read; if something was announced meanwhile, only until somebody asks again."""
        old = self._entries.get(key)
        if reading.announced & {None, str(entry.job_id)}:
            entry.replaced.set()
        elif old is not None and old.etag == entry.etag and not old.replaced.is_set():
            old.read_at = entry.read_at
            return old
        self._entries[key] = entry
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

    def _replace(self, job_id: str | None) -> None:
        """Note that a job has another schedule, or that any of them may have."""
        for entry in self._entries.values():
            if job_id is None or str(entry.job_id) == job_id:
                entry.replaced.set()
        for reading in self._readings.values():
            reading.announced.add(job_id)

    async def _either(self, event: asyncio.Event, seconds: float) -> None:
        try:
            async with asyncio.timeout(seconds):
                await event.wait()
        except TimeoutError:
            return
