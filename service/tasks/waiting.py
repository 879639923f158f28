"""Waiting for the end of background work: nobody who waits holds a database connection.

One listener a process hears of ends by LISTEN. A row is read before the wait and after it, and every few
seconds in between, in case a notification was lost.
"""

import asyncio
import logging
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Protocol, TypeVar
from uuid import UUID

import anyio.to_thread
import psycopg
from sqlalchemy.orm import Session

from service.db import Database
from service.models import TaskState
from service.tasks.repository import CHANNEL

_log = logging.getLogger("service.tasks")

_LOOK_SECONDS = 5.0
_RECONNECT_SECONDS = 1.0
_MOST_WAITERS = 2000  # beyond them everybody is answered at once, and asks again


class _WithState(Protocol):
    """An answer that tells the state of its row."""

    @property
    def state(self) -> str: ...


A = TypeVar("A", bound=_WithState)


class Waiters:
    """Those who wait for rows to end, in one process.

    Args:
        database: where rows are read.
    """

    def __init__(self, database: Database) -> None:
        self._database = database
        self._waiting: dict[UUID, set[asyncio.Event]] = {}
        self._count = 0
        self._closed = False

    async def ended(self, row_id: UUID, read: Callable[[Session], A], seconds: float) -> A:
        """The answer for a row: at once if it has ended, else when it has, or after some seconds.

        Args:
            row_id: the row.
            read: reads the answer; what it raises is raised.
            seconds: how long to wait at most.
        """
        if seconds <= 0 or self._count >= _MOST_WAITERS:
            return await self._read(read)
        deadline = time.monotonic() + seconds
        with self._hearing(row_id) as heard:
            while True:
                heard.clear()
                answer = await self._read(read)
                left = deadline - time.monotonic()
                if TaskState(answer.state).ended or left <= 0 or self._closed:
                    return answer
                try:
                    async with asyncio.timeout(min(left, _LOOK_SECONDS)):
                        await heard.wait()
                except TimeoutError:
                    continue

    async def listen(self) -> None:
        """Hear of ends until cancelled."""
        while True:
            try:
                connection = await psycopg.AsyncConnection.connect(self._database.conninfo, autocommit=True)
                async with connection:
                    await connection.execute(f"LISTEN {CHANNEL}")
                    self._wake(None)  # what ended while nobody listened
                    async for notification in connection.notifies():
                        self._wake(UUID(notification.payload))
            except (psycopg.Error, ValueError) as error:
                _log.warning("not listening for the end of tasks, rows are read instead: %s", error)
            await asyncio.sleep(_RECONNECT_SECONDS)

    def close(self) -> None:
        """Let everybody who waits go, so that the process can end."""
        self._closed = True
        self._wake(None)

    async def _read(self, read: Callable[[Session], A]) -> A:
        def in_session() -> A:
            with self._database.session() as session:
                return read(session)

        return await anyio.to_thread.run_sync(in_session)

    @contextmanager
    def _hearing(self, row_id: UUID) -> Iterator[asyncio.Event]:
        heard = asyncio.Event()
        self._waiting.setdefault(row_id, set()).add(heard)
        self._count += 1
        try:
            yield heard
        finally:
            self._count -= 1
            self._waiting[row_id].discard(heard)
            if not self._waiting[row_id]:
                del self._waiting[row_id]

    def _wake(self, row_id: UUID | None) -> None:
        """Wake who waits for a row, or everybody."""
        rows = list(self._waiting) if row_id is None else [row_id]
        for row in rows:
            for heard in self._waiting.get(row, ()):
                heard.set()
