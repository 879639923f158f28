"""Group commit: one committer a process takes the reports of a moment and writes them together.

A transaction a report would wait for the disk once a report. Here requests that arrive while one commit
is under way form the next one; each is planned for itself before anything is written, and answered once
its commit is on disk.
"""

import asyncio
import logging
from collections import defaultdict
from collections.abc import Callable, Collection, Sequence
from dataclasses import dataclass, field
from functools import partial
from typing import Any
from uuid import UUID

import anyio
import anyio.to_thread
from sqlalchemy.orm import Session

from mixlaws.errors import MixlawsError
from service.db import Database
from service.errors import NotFoundError, ServiceError, UnavailableError
from service.fail_points import reach
from service.jobs import recording, repository, states
from service.jobs.definition import JobDefinition
from service.jobs.epochs import state_token
from service.jobs.log import measured
from service.jobs.planning import Known, Plan, plan
from service.jobs.schemas import ReportIn, ReportsOut
from service.jobs.states import Head
from service.models import Job
from service.problem_details import DATABASE_AWAY
from service.runs.repository import now

_log = logging.getLogger("service.jobs")

_MOST_REQUESTS = 256  # in one transaction
# Reports in one transaction, but for the rest of the last request: a query takes 65,535 values, and each
# report is looked for by four.
_MOST_REPORTS = 8_000


@dataclass(eq=False)
class Request:
    """Reports of one call, and the answer that its caller awaits."""

    project_id: UUID
    job: str
    reports: Sequence[ReportIn]
    answer: "asyncio.Future[ReportsOut]" = field(
        default_factory=lambda: asyncio.get_running_loop().create_future()
    )


Outcome = ReportsOut | Exception


class Committer:
    """Takes reports, answers when they are stored.

    Args:
        database: where they are stored.
        published: told which jobs have a new version, before anybody is answered: whoever reads a schedule
            after that must not get the older one.
    """

    def __init__(self, database: Database, published: Callable[[Collection[UUID]], None]) -> None:
        self._database = database
        self._published = published
        self._queue: asyncio.Queue[Request] = asyncio.Queue(maxsize=10_000)
        # A thread of its own: those that all endpoints share may all hang on a lock.
        self._thread = anyio.CapacityLimiter(1)

    async def submit(self, project_id: UUID, job: str, reports: Sequence[ReportIn]) -> ReportsOut:
        """Store the reports of a call, all or none.

        Raises:
            ServiceError: the reports are refused.
            UnavailableError: too many wait already.
        """
        request = Request(project_id, job, reports)
        try:
            self._queue.put_nowait(request)
        except asyncio.QueueFull:
            raise UnavailableError("too many reports wait: send them again later") from None
        return await request.answer

    async def run(self) -> None:
        """Commit until cancelled."""
        while True:
            requests = [await self._queue.get()]
            reports = len(requests[0].reports)
            while len(requests) < _MOST_REQUESTS and reports < _MOST_REPORTS and not self._queue.empty():
                requests.append(self._queue.get_nowait())
                reports += len(requests[-1].reports)
            try:
                outcomes, published = await anyio.to_thread.run_sync(
                    self._commit, requests, limiter=self._thread
                )
                self._published(published)
            except Exception as error:  # noqa: BLE001 - every caller must get an answer
                outcomes = [error] * len(requests)
            for request, outcome in zip(requests, outcomes, strict=True):
                if request.answer.done():
                    continue  # the caller is gone; its reports are stored all the same
                if isinstance(outcome, Exception):
                    request.answer.set_exception(outcome)
                else:
                    request.answer.set_result(outcome)

    def _commit(self, requests: Sequence[Request]) -> tuple[list[Outcome], set[UUID]]:
        try:
            # Harmless to repeat even after a commit that nobody heard of: what is stored is a duplicate.
            outcomes = self._database.transact(partial(_write, requests=requests))
        except DATABASE_AWAY:
            raise
        except Exception:
            if len(requests) == 1:
                raise
            _log.exception("a commit of %d requests failed: each is tried alone", len(requests))
            return self._commit_alone(requests)
        reach("after_group_commit")
        return outcomes

    def _commit_alone(self, requests: Sequence[Request]) -> tuple[list[Outcome], set[UUID]]:
        """Commit each request by itself: what cannot be written for one job must not stop the others."""
        outcomes: list[Outcome] = []
        published: set[UUID] = set()
        for request in requests:
            try:
                answers, new = self._commit([request])
            except Exception as error:  # noqa: BLE001 - every caller must get an answer
                outcomes.append(error)
            else:
                outcomes += answers
                published |= new
        return outcomes, published


def _write(session: Session, requests: Sequence[Request]) -> tuple[list[Outcome], set[UUID]]:
    """Plan every request, then write all plans in one go; returns answers, and jobs with a new version."""
    jobs = repository.locked(session, {(request.project_id, request.job) for request in requests})
    batch = _Batch(session, list(jobs.values()), requests, jobs)
    outcomes: list[Outcome] = []
    for request in requests:
        job = jobs.get((request.project_id, request.job))
        try:
            if job is None:
                raise NotFoundError(f"no job {request.job!r} in this project")  # noqa: TRY301
            outcomes.append(batch.take(job, request))
        except (ServiceError, MixlawsError) as error:
            outcomes.append(error)
        except Exception as error:  # noqa: BLE001
            # Whatever a policy makes of one job's numbers, the other jobs of this commit go on.
            _log.exception("reports of job %r could not be folded", request.job)
            outcomes.append(error)
    published = batch.write()
    reach("before_group_commit")
    return outcomes, published


class _Batch:
    """What the requests of one commit know and change; read once, written once."""

    def __init__(
        self,
        session: Session,
        jobs: list[Job],
        requests: Sequence[Request],
        by_name: dict[tuple[UUID, str], Job],
    ) -> None:
        self._session = session
        self._jobs = {job.id: job for job in jobs}
        self._definitions: dict[UUID, JobDefinition] = {}
        wanted = [
            (by_name[request.project_id, request.job], report)
            for request in requests
            if (request.project_id, request.job) in by_name
            for report in request.reports
        ]
        keys = {(job.id, report.attempt, report.source, report.step_to) for job, report in wanted}
        self._stored: dict[UUID, dict[tuple[str, int], dict[str, Any]]] = defaultdict(dict)
        for (job_id, attempt, source, step_to), row in repository.stored_reports(session, keys).items():
            if attempt == self._jobs[job_id].attempt:
                self._stored[job_id][source, step_to] = _as_columns(row)
        waiting = repository.waiting_reports(session, [(job.id, job.attempt) for job in jobs])
        self._waiting: dict[UUID, list[dict[str, Any]]] = defaultdict(list)
        for row in waiting:
            self._waiting[row.job_id].append(_as_columns(row))
        versions = {(job.id, report.schedule_version) for job, report in wanted}
        versions |= {(row.job_id, row.schedule_version) for row in waiting}
        self._weights: dict[UUID, dict[int, list[float]]] = defaultdict(dict)
        for (job_id, version), weights in repository.weights_of(session, versions).items():
            self._weights[job_id][version] = weights
        self._last = repository.last_active(session, list(self._jobs))
        self._heads: dict[UUID, Head] = {}
        self._plans: dict[UUID, list[Plan]] = defaultdict(list)

    def take(self, job: Job, request: Request) -> ReportsOut:
        """Plan a request on top of those before it."""
        known = Known(
            stored=self._stored[job.id],
            waiting=[measured(row) for row in self._waiting[job.id]],
            weights_of=self._weights[job.id],
        )
        planned = plan(self._definition(job), job.id, job.attempt, self._head(job), request.reports, known)
        self._heads[job.id] = planned.head
        self._plans[job.id].append(planned)
        for row in planned.rows:
            self._stored[job.id][row["source"], row["step_to"]] = row
            if row["applied_seq"] is None and not row["late"]:
                self._waiting[job.id].append(row)
        self._waiting[job.id] = [
            row for row in self._waiting[job.id] if (row["source"], row["step_to"]) not in planned.placed
        ]
        return ReportsOut(
            accepted=len(planned.rows),
            duplicates=planned.duplicates,
            late=planned.late,
            attempt=job.attempt,
            version=planned.head.version,
            state_token=state_token(job.epoch, job.attempt, planned.head.applied_seq),
        )

    def _head(self, job: Job) -> Head:
        # Read when it is needed: a state that cannot be read must not stop the other jobs.
        if job.id not in self._heads:
            last = self._last[job.id].effective_step
            self._heads[job.id] = states.head(self._session, job, self._definition(job), last)
        return self._heads[job.id]

    def _definition(self, job: Job) -> JobDefinition:
        # Not built for all jobs at once: one that this version cannot steer must not stop the others.
        if job.id not in self._definitions:
            self._definitions[job.id] = JobDefinition.stored(job.definition)
        return self._definitions[job.id]

    def write(self) -> set[UUID]:
        """Write reports, heads and new versions; announce and return jobs with new versions."""
        moment = now(self._session)
        made = [row for plans in self._plans.values() for planned in plans for row in planned.rows]
        repository.insert_reports(self._session, made)
        reach("inside_group_commit")
        announced: set[UUID] = set()
        for job_id, plans in self._plans.items():
            job = self._jobs[job_id]
            job.last_report_at = moment
            job.duplicates += sum(planned.duplicates for planned in plans)
            for planned in plans:
                repository.place_reports(self._session, job.id, job.attempt, planned.placed_before)
                for seq, event in planned.events:
                    recording.add_event(self._session, job, seq, event, actor="guard")
            published = [planned.published for planned in plans if planned.published is not None]
            recording.write(self._session, job, self._definition(job), self._heads[job_id], published)
            if published:
                announced.add(job_id)
        repository.announce(self._session, announced)
        return announced


def _as_columns(row: Any) -> dict[str, Any]:
    return {column.name: getattr(row, column.name) for column in row.__table__.columns}
