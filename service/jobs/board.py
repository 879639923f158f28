"""The notice board: schedules in memory, and whoever waits for the next one.

A poll is answered from memory. A new version, written by this process or by another on the same
database, is heard of by LISTEN; where a notification is lost, one query every few seconds finds what has
changed. Nobody who waits holds a database connection, and one read serves all who wait for it. While the
database is away memory answers, and a trainer loses nothing by it: it would follow the same schedule.
"""

import asyncio
import logging
import time
from collections.abc import Collection, Iterable
from dataclasses import dataclass, field
from uuid import UUID

import anyio
import anyio.to_thread
import psycopg
from sqlalchemy.orm import Session

from service.db import Database
from service.errors import NotFoundError, UnavailableError
from service.jobs import repository, schedules
from service.jobs import service as jobs
from service.jobs.etags import etag, is_ahead
from service.jobs.notices import Entry
from service.jobs.schemas import ScheduleOut
from service.jobs.waiting import Waiter
from service.problem_details import DATABASE_AWAY

_log = logging.getLogger("service.jobs")

FRESH_SECONDS = 5.0  # how old an entry may be when a notification was lost
_UNHEARD_SECONDS = 0.5  # the same while there are no notifications
_CHECK_SECONDS = 2.0
# How long a poll waits for a slow database before memory answers it: well within any client's patience.
_PATIENCE_SECONDS = 1.0
_KEPT_SECONDS = 600.0  # entries that nobody asked for in this time are forgotten
_RECONNECT_SECONDS = 1.0
_THREADS = 2  # of its own: those that all endpoints share may all hang on a lock
_MOST_WAITERS = 10_000

Key = tuple[UUID, str]


@dataclass(eq=False)
class _Reading:
    """A schedule that is being read, and what was announced meanwhile: the query may not have seen it."""

    task: "asyncio.Task[Entry]"
    announced: set[str | None] = field(default_factory=set)


class Board:
    """Schedules by project and job name.

    Args:
        database: where they are read.
        most_waiters: how many may wait at once.
    """

    def __init__(self, database: Database, *, most_waiters: int = _MOST_WAITERS) -> None:
        self.closing = asyncio.Event()
        self._database = database
        self._most_waiters = most_waiters
        self._entries: dict[Key, Entry] = {}
        self._readings: dict[Key, _Reading] = {}
        self._waiters: dict[Key, set[Waiter]] = {}
        self._waiting = 0
        self._heard = False
        self._threads = anyio.CapacityLimiter(_THREADS)

    @property
    def listening(self) -> bool:
        """Whether notifications of the database are heard at the moment."""
        return self._heard

    @property
    def waiting(self) -> int:
        """How many wait for a new version."""
        return self._waiting

    @property
    def oldest_seconds(self) -> float:
        """Age of the oldest copy from which polls are answered."""
        began = time.monotonic()
        return max((began - entry.read_at for entry in self._entries.values()), default=0.0)

    def require_room(self) -> None:
        """Check that one more may wait.

        Raises:
            UnavailableError: too many wait already.
        """
        if self._waiting >= self._most_waiters:
            raise UnavailableError(
                f"{self._waiting} wait here already, and no more may (MIXWRIGHT_WAITERS): ask again later, "
                "or without 'Prefer: wait'",
                code="too_many_waiters",
            )

    async def get(self, project_id: UUID, name: str, *, held: str | None = None) -> Entry:
        """The schedule of a job.

        Args:
            project_id: whose job it is.
            name: its name.
            held: ETag of the schedule that the client holds.

        Raises:
            NotFoundError: the project has no such job.
        """
        key = project_id, name
        entry = self._entries.get(key)
        if entry is not None and is_ahead(held, entry.etag):
            entry.replaced = True  # another process answered this client, and was faster to hear of it
        moment = time.monotonic()
        while entry is None or not self._is_current(entry, moment):
            reading = self._readings.get(key) or self._read(key)
            # What is merely old may be sent where the database is slow; what was replaced must not.
            memory = entry if entry is not None and not entry.replaced else None
            done, _ = await asyncio.wait({reading.task}, timeout=_PATIENCE_SECONDS if memory else None)
            if not done and memory is not None:
                entry = memory
                break
            try:
                entry = reading.task.result()
            except DATABASE_AWAY:
                if memory is None:
                    raise
                entry = memory
                break
            if not entry.replaced:
                break  # read while we waited, even if nobody listens at the moment
            entry = self._entries.get(key)
            moment = time.monotonic()
        entry.asked_at = moment
        return entry

    async def changed(self, project_id: UUID, name: str, etag: str | None, waiter: Waiter) -> Entry | None:
        """Wait for a schedule with another ETag; None if none came in the waiter's time, or on closing.

        Raises:
            NotFoundError: the project has no such job, or no longer.
            UnavailableError: too many wait already.
            DisconnectedError: whoever asked is gone.
        """
        entry = await self.get(project_id, name, held=etag)
        if entry.etag != etag or self.closing.is_set() or waiter.is_over():
            return entry if entry.etag != etag else None
        self.require_room()
        key = project_id, name
        waiters = self._waiters.setdefault(key, set())
        waiters.add(waiter)
        self._waiting += 1
        try:
            while True:
                latest = self._entries.get(key)
                # What was forgotten is read again: the job may be gone.
                entry = latest if latest is not None else await self.get(project_id, name)
                if entry.etag != etag:
                    return entry
                if waiter.is_over() or self.closing.is_set():
                    return None
                await waiter.wait()
        finally:
            self._waiting -= 1
            waiters.discard(waiter)
            if not waiters and self._waiters.get(key) is waiters:
                del self._waiters[key]

    async def listen(self) -> None:
        """Hear of new versions until cancelled."""
        while True:
            try:
                connection = await psycopg.AsyncConnection.connect(self._database.conninfo, autocommit=True)
                async with connection:
                    await connection.execute(f"LISTEN {repository.CHANNEL}")
                    self._heard = True
                    self._replace(None)
                    await self._check()  # what was announced while nobody listened
                    async for notification in connection.notifies():
                        self._replace(notification.payload)
            except psycopg.Error as error:
                _log.warning("not listening for new schedules, they are read from the database: %s", error)
            finally:
                self._heard = False
            await asyncio.sleep(_RECONNECT_SECONDS)

    async def check(self) -> None:
        """Look until cancelled whether anything has changed that was not heard of."""
        while True:
            await asyncio.sleep(_CHECK_SECONDS if self._heard else _UNHEARD_SECONDS)
            await self._check()

    async def _check(self) -> None:
        """Compare all entries with the database, in one query."""
        began = time.monotonic()
        self._forget(began - _KEPT_SECONDS)
        entries = dict(self._entries)
        try:
            marks = await anyio.to_thread.run_sync(self._marks, entries.values(), limiter=self._threads)
        except DATABASE_AWAY as error:
            _log.warning("schedules are sent from memory, the database is away: %s", type(error).__name__)
            return
        for key, entry in entries.items():
            if marks.get(entry.job_id) == entry.mark:
                entry.read_at = max(began, entry.read_at)
            elif self._entries.get(key) is entry:
                self._outdated(key, entry)

    def _forget(self, before: float) -> None:
        for key in [key for key, entry in self._entries.items() if entry.asked_at < before]:
            if key not in self._waiters:
                del self._entries[key]

    def published(self, job_ids: Collection[UUID]) -> None:
        """Hear at once of versions that this very process has published; notifications take a moment."""
        for job_id in job_ids:
            self._replace(str(job_id))

    def close(self) -> None:
        """Let everybody who waits go, so that the process can end."""
        self.closing.set()
        for key in self._waiters:
            self._wake(key)

    def _is_current(self, entry: Entry, moment: float) -> bool:
        longest = FRESH_SECONDS if self._heard else _UNHEARD_SECONDS
        return not entry.replaced and moment - entry.read_at < longest

    def _read(self, key: Key) -> _Reading:
        reading = self._readings[key] = _Reading(asyncio.ensure_future(self._loaded(key)))
        # An error is told to whoever waits for it, if anybody still does.
        reading.task.add_done_callback(lambda task: task.cancelled() or task.exception())
        return reading

    async def _loaded(self, key: Key) -> Entry:
        try:
            entry = await anyio.to_thread.run_sync(self._load, *key, limiter=self._threads)
        except NotFoundError:
            self._entries.pop(key, None)
            self._wake(key)
            raise
        finally:
            reading = self._readings.pop(key)
        return self._put(key, entry, reading)

    def _put(self, key: Key, entry: Entry, reading: _Reading) -> Entry:
        """Remember what was read; if something was announced meanwhile, only until somebody asks again."""
        old = self._entries.get(key)
        if None in reading.announced:
            entry.read_at = 0.0
        if str(entry.job_id) in reading.announced:
            entry.replaced = True
        elif old is not None and old.etag == entry.etag and not old.replaced:
            old.read_at, old.mark = entry.read_at, entry.mark
            return old
        self._entries[key] = entry
        if entry.replaced and key in self._waiters:
            self._read(key)
        self._wake(key)
        return entry

    def _wake(self, key: Key) -> None:
        for waiter in self._waiters.get(key, ()):
            waiter.wake()

    def _load(self, project_id: UUID, name: str) -> Entry:
        read_at = time.monotonic()  # before the query: a change during it must not look fresh

        def read(session: Session) -> tuple[UUID, ScheduleOut, tuple[int, int]]:
            job = jobs.get(session, project_id, name)
            return job.id, schedules.document(session, job), (job.attempt, job.version)

        job_id, document, mark = self._database.transact(read)
        body = document.model_dump_json(by_alias=True).encode()
        return Entry(job_id, etag(document.attempt, document.version), body, read_at, mark)

    def _marks(self, entries: Iterable[Entry]) -> dict[UUID, tuple[int, int]]:
        with self._database.session() as session:
            return repository.marks(session, [entry.job_id for entry in entries])

    def _replace(self, job_id: str | None) -> None:
        """Note that a job has another schedule, or that any of them may have."""
        for key, entry in list(self._entries.items()):
            if job_id is None:
                entry.read_at = 0.0
            elif str(entry.job_id) == job_id:
                self._outdated(key, entry)
        for reading in self._readings.values():
            reading.announced.add(job_id)

    def _outdated(self, key: Key, entry: Entry) -> None:
        """Read for those who wait what has replaced an entry; others read when they ask."""
        entry.replaced = True
        if key in self._waiters and key not in self._readings:
            self._read(key)
