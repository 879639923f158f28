"""Group commit: one committer a process takes the reports of a moment and writes them together.

A transaction a report would wait for the disk once a report. Here requests that arrive while one commit
is under way form the next one; each is planned for itself before anything is written, and answered once
its commit is on disk.
"""

import asyncio
import logging
import time
from collections.abc import Callable, Collection, Sequence
from dataclasses import dataclass, field
from uuid import UUID

import anyio
import anyio.to_thread
from sqlalchemy.orm import Session

from service.db import Database
from service.errors import UnavailableError
from service.fail_points import reach
from service.jobs.batch import Batch, Call, Outcome
from service.jobs.schemas import ReportIn, ReportsOut
from service.jobs.standing import Standing, Standings
from service.observing.metrics import Counters
from service.problem_details import DATABASE_AWAY

_log = logging.getLogger("service.jobs")

_MOST_REQUESTS = 256  # in one transaction
# Reports in one transaction, but for the rest of the last request: a query takes 65,535 values, and each
# report is looked for by four.
_MOST_REPORTS = 8_000


@dataclass(frozen=True, eq=False)
class Request:
    """A call, and the answer that its caller awaits."""

    call: Call
    answer: "asyncio.Future[ReportsOut]" = field(
        default_factory=lambda: asyncio.get_running_loop().create_future()
    )


class Committer:
    """Takes reports, answers when they are stored.

    Args:
        database: where they are stored.
        published: told which jobs have a new version, before anybody is answered: whoever reads a schedule
            after that must not get the older one.
        counters: where commits are counted.
    """

    def __init__(
        self,
        database: Database,
        published: Callable[[Collection[UUID]], None],
        counters: Counters | None = None,
    ) -> None:
        self._database = database
        self._counters = counters or Counters()
        self._published = published
        self._standings = Standings()  # touched by the committing thread alone
        self._queue: asyncio.Queue[Request] = asyncio.Queue(maxsize=10_000)
        # A thread of its own: those that all endpoints share may all hang on a lock.
        self._thread = anyio.CapacityLimiter(1)

    @property
    def waiting(self) -> int:
        """Calls that wait for a commit."""
        return self._queue.qsize()

    async def submit(self, project_id: UUID, job: str, reports: Sequence[ReportIn]) -> ReportsOut:
        """Store the reports of a call, all or none.

        Raises:
            ServiceError: the reports are refused.
            UnavailableError: too many wait already.
        """
        request = Request(Call(project_id, job, reports))
        try:
            self._queue.put_nowait(request)
        except asyncio.QueueFull:
            raise UnavailableError("too many reports wait: send them again later") from None
        answer = await request.answer
        self._counters.reported(answer.accepted, answer.duplicates, answer.late)
        return answer

    async def run(self) -> None:
        """Commit until cancelled."""
        while True:
            requests = [await self._queue.get()]
            reports = len(requests[0].call.reports)
            while len(requests) < _MOST_REQUESTS and reports < _MOST_REPORTS and not self._queue.empty():
                requests.append(self._queue.get_nowait())
                reports += len(requests[-1].call.reports)
            began = time.perf_counter()
            try:
                outcomes, published = await anyio.to_thread.run_sync(
                    self._commit, [request.call for request in requests], limiter=self._thread
                )
                self._published(published)
            except Exception as error:  # noqa: BLE001 - every caller must get an answer
                outcomes = [error] * len(requests)
            self._counters.committed(len(requests), time.perf_counter() - began)
            for request, outcome in zip(requests, outcomes, strict=True):
                if request.answer.done():
                    continue  # the caller is gone; its reports are stored all the same
                if isinstance(outcome, Exception):
                    request.answer.set_exception(outcome)
                else:
                    request.answer.set_result(outcome)

    def _commit(self, calls: Sequence[Call]) -> tuple[list[Outcome], set[UUID]]:
        def work(session: Session) -> tuple[list[Outcome], set[UUID], list[Standing]]:
            batch = Batch(session, calls, self._standings)
            outcomes = [batch.take(call) for call in calls]
            published, after = batch.write()
            reach("before_group_commit")
            return outcomes, published, after

        try:
            # Harmless to repeat even after a commit that nobody heard of: what is stored is a duplicate.
            outcomes, published, after = self._database.transact(work)
        except DATABASE_AWAY:
            raise
        except Exception:
            if len(calls) == 1:
                raise
            _log.exception("a commit of %d calls failed: each is tried alone", len(calls))
            return self._commit_alone(calls)
        self._standings.keep(after)  # not before the commit: what is not stored is not remembered
        reach("after_group_commit")
        return outcomes, published

    def _commit_alone(self, calls: Sequence[Call]) -> tuple[list[Outcome], set[UUID]]:
        """Commit each call by itself: what cannot be written for one job must not stop the others."""
        outcomes: list[Outcome] = []
        published: set[UUID] = set()
        for call in calls:
            try:
                answers, new = self._commit([call])
            except Exception as error:  # noqa: BLE001 - every caller must get an answer
                outcomes.append(error)
            else:
                outcomes += answers
                published |= new
        return outcomes, published
