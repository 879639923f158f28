"""What a process asks the database for its operators, whatever state its pools and threads are in.

A connection of its own for each look, briefly, and one look at a time: whoever asks meanwhile gets the same
answer, so that strangers, who may ask for readiness, cost the database one connection at most.
"""

import asyncio
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Generic, TypeVar

import anyio
import anyio.to_thread
from prometheus_client.core import Metric
from sqlalchemy import NullPool, create_engine
from sqlalchemy.engine import Engine
from sqlalchemy.orm import Session

from service import migrate
from service.db import Database
from service.observing import repository
from service.observing.metrics import gauge

LOOK_SECONDS = 2.0  # of a connection, and again of each query
T = TypeVar("T")


@dataclass
class _Look(Generic[T]):
    """Something that is looked at."""

    ask: Callable[[], T]
    task: "asyncio.Task[T] | None" = None


class Vitals:
    """Signs of life of the database.

    Args:
        database: whose address is used.
    """

    def __init__(self, database: Database) -> None:
        self._engine = _engine(database)
        self._threads = anyio.CapacityLimiter(2)
        self._schema = _Look(self._read_schema)
        self._stored = _Look(self._read)

    async def schema(self) -> tuple[str | None, bool]:
        """Revision of the schema, and whether it lacks what this version needs.

        Raises:
            SQLAlchemyError: the database does not answer in time.
        """
        return await self._look(self._schema)

    async def stored(self) -> list[Metric]:
        """Metrics of what is stored.

        Raises:
            SQLAlchemyError: the database does not answer in time.
        """
        return await self._look(self._stored)

    def _read_schema(self) -> tuple[str | None, bool]:
        revision = migrate.current(self._engine)
        return revision, migrate.is_behind(revision)

    async def _look(self, look: _Look[T]) -> T:
        if look.task is None or look.task.done():
            asking = anyio.to_thread.run_sync(look.ask, limiter=self._threads)
            look.task = asyncio.ensure_future(asking)
        return await asyncio.shield(look.task)

    def _read(self) -> list[Metric]:
        with Session(self._engine) as session:
            repository.hurry(session, LOOK_SECONDS)
            live, lag, age = repository.live_jobs(session)
            fits = repository.fit_seconds(session)
            tasks = repository.tasks(session)
        kind = ("task", "state")
        return [
            gauge("live_jobs", "Jobs that reported within a day.", [((), live)]),
            _spread("report_lag_seconds", "Seconds since live jobs last reported.", lag),
            _spread("schedule_age_seconds", "Seconds since live jobs last got a version.", age),
            _spread("fit_seconds", "Seconds from request to end, of fits of the last hour.", fits),
            gauge("tasks", "Tasks that are not done.", [((n, s), c) for n, s, c, _ in tasks], kind),
            gauge("task_age_seconds", "Age of the oldest.", [((n, s), a) for n, s, _, a in tasks], kind),
        ]


def _spread(name: str, text: str, values: Sequence[float]) -> Metric:
    told = zip(repository.QUANTILES, values, strict=False)  # there are none of no jobs
    return gauge(name, text, [((str(quantile),), value) for quantile, value in told], ("quantile",))


def _engine(database: Database) -> Engine:
    seconds = int(LOOK_SECONDS)
    return create_engine(
        database.engine.url,
        poolclass=NullPool,
        hide_parameters=True,
        connect_args={"options": f"-c statement_timeout={seconds}s", "connect_timeout": seconds},
    )
