"""What open pages of jobs are told between versions: that something was reported or ordered.

A trainer needs to hear of new versions alone, and only those are announced. A page shows reports too, so each
process looks at the jobs whose pages are open, twice a second and in one short query however many look.
"""

import asyncio
import time
from dataclasses import dataclass
from uuid import UUID

import anyio.to_thread

from service.db import Database
from service.jobs import overview_repository
from service.jobs.following import ALIVE, COMMENT_SECONDS
from service.problem_details import DATABASE_AWAY

LOOK_SECONDS = 0.5

Key = tuple[UUID, str]


@dataclass(frozen=True)
class _Look:
    began: float  # on the monotonic clock
    task: "asyncio.Task[str | None]"


class Pulses:
    """Pulses of jobs by project and name, each read once for all who look.

    Args:
        database: where they are read.
    """

    def __init__(self, database: Database) -> None:
        self._database = database
        self._looks: dict[Key, _Look] = {}

    async def pulse(self, key: Key) -> str | None:
        """The pulse of a job a moment ago; None if it is gone, or the database is away."""
        moment = time.monotonic()
        look = self._looks.get(key)
        if look is None or moment - look.began >= LOOK_SECONDS:
            self._looks = {k: v for k, v in self._looks.items() if moment - v.began < 2 * LOOK_SECONDS}
            look = _Look(moment, asyncio.ensure_future(anyio.to_thread.run_sync(self._read, key)))
            self._looks[key] = look
        return await asyncio.shield(look.task)  # who leaves must not end it for the others

    def _read(self, key: Key) -> str | None:
        try:
            with self._database.session() as session:
                return overview_repository.pulse(session, *key)
        except DATABASE_AWAY:
            return None


class Listener:
    """What one stream is told where no new version came.

    Args:
        pulses: of all jobs.
        key: the job.
    """

    def __init__(self, pulses: Pulses, key: Key) -> None:
        self._pulses, self._key = pulses, key
        self._told: str | None = None
        self._spoke = time.monotonic()

    async def __call__(self) -> bytes:
        """An event if the job has another pulse, a comment if nothing was said for long, or nothing."""
        pulse = await self._pulses.pulse(self._key)
        if pulse is not None and pulse != self._told:
            self._told, self._spoke = pulse, time.monotonic()
            return b"event: change\ndata: %s\n\n" % pulse.encode()
        if time.monotonic() - self._spoke < COMMENT_SECONDS:
            return b""
        self._spoke = time.monotonic()
        return ALIVE
