"""Background tasks on the same database: deferred in the transaction that makes the row.

A task that was deferred exists exactly if its row does. procrastinate hands it to one worker; the
arithmetic runs in a child process with a deadline and a memory limit. A worker that dies leaves its row
running; another worker finds the task again, as procrastinate's heartbeats tell. No row stays running
whose task ended: what nobody expected is a failure too, and while the database is away a task is tried again.
"""

import asyncio
import logging
from collections.abc import Callable
from typing import Any
from uuid import UUID

import procrastinate
from procrastinate import App, JobContext, PsycopgConnector, RetryStrategy, SyncPsycopgConnector
from procrastinate.exceptions import ConnectorException
from sqlalchemy.orm import Session

from mixlaws.errors import MixlawsError
from service.compute.child import Children, ComputationError, InterruptedComputationError
from service.db import Database
from service.errors import ServiceError
from service.fits import repository as fits
from service.fits import service as fit_service
from service.models import Fit, ProposalRequest, Study, TaskState
from service.problem_details import DATABASE_AWAY
from service.proposals import repository as proposals
from service.proposals import service as proposal_service
from service.runs import repository as runs
from service.settings import Settings

_log = logging.getLogger("service.tasks")

_POLL_SECONDS = 2.0  # for a notification that was lost
_TAKE_OVER_SECONDS = 10.0
# Five minutes: a database that stays away longer is an outage, after which people look.
_TRY_AGAIN = RetryStrategy(max_attempts=60, wait=5, retry_exceptions=DATABASE_AWAY)
_UNEXPECTED = "an unexpected error, which is in the log of the service: ask for it again, or report it"
Row = Fit | ProposalRequest
Find = Callable[[Session, UUID], Row | None]


def _fit(context: JobContext, *, row_id: str) -> None:
    _work(context, "fit", UUID(row_id), fits.locked, fit_service.task_input)


def _proposal(context: JobContext, *, row_id: str) -> None:
    _work(context, "proposal", UUID(row_id), proposals.locked, proposal_service.task_input)


_TASKS = {"mixwright:fit": _fit, "mixwright:proposal": _proposal}
# Deferring uses the caller's own connection, so this app never opens one, and names its tasks only.
_deferring = App(connector=SyncPsycopgConnector())


def defer_fit(session: Session, fit_id: UUID) -> None:
    """Queue the work of a fit, in the caller's transaction."""
    _defer(session, "mixwright:fit", fit_id)


def defer_proposal(session: Session, proposal_id: UUID) -> None:
    """Queue the work of a proposal, in the caller's transaction."""
    _defer(session, "mixwright:proposal", proposal_id)


async def run_worker(database: Database, settings: Settings) -> None:
    """Work on tasks until cancelled."""
    concurrency = settings.task_concurrency
    app = App(connector=PsycopgConnector(conninfo=database.conninfo, min_size=1, max_size=2 + concurrency))
    for name, work in _TASKS.items():
        app.task(name=name, pass_context=True, retry=_TRY_AGAIN)(work)
    children = Children()
    working = app.run_worker_async(
        concurrency=concurrency,
        install_signal_handlers=False,
        fetch_job_polling_interval=_POLL_SECONDS,
        delete_jobs=procrastinate.jobs.DeleteJobCondition.SUCCESSFUL,
        additional_context={"database": database, "settings": settings, "children": children},
    )
    async with app.open_async():
        beside = [asyncio.ensure_future(working), asyncio.ensure_future(_take_over(app))]
        try:
            await asyncio.gather(*beside)
        finally:
            # A worker that is asked to end waits for its task: without its child the task ends at once.
            children.stop()
            for task in beside:
                task.cancel()
            await asyncio.gather(*beside, return_exceptions=True)


async def _take_over(app: App) -> None:
    """Queue again what was in the hands of workers that died."""
    while True:
        try:
            for job in await app.job_manager.get_stalled_jobs():
                _log.info("taking over task %s, whose worker died", job.id)
                await app.job_manager.retry_job(job)
        except ConnectorException as error:
            # Another worker was faster, or the database is away: neither may cost us the tasks in our hands.
            _log.info("taking over nothing: %s", error.__cause__ or error)
        await asyncio.sleep(_TAKE_OVER_SECONDS)


def _defer(session: Session, name: str, row_id: UUID) -> None:
    connection = session.connection().connection.dbapi_connection
    _deferring.configure_task(name, connection=connection).defer(row_id=str(row_id))


def _work(
    context: JobContext,
    name: str,
    row_id: UUID,
    find: Find,
    task_input: Callable[[Session, Any, Study], dict[str, Any]],
) -> None:
    """Take a row through running to done or failed; no transaction is open while the child computes."""
    database: Database = context.additional_context["database"]
    settings: Settings = context.additional_context["settings"]
    children: Children = context.additional_context["children"]
    result, error = None, None
    try:
        with database.session() as session:
            row = find(session, row_id)
            if row is None or row.state in {TaskState.DONE, TaskState.FAILED}:
                return
            row.state = TaskState.RUNNING
            raw = task_input(session, row, session.get_one(Study, row.study_id))
        result = children.compute(
            name, raw, seconds=settings.task_seconds, memory_bytes=settings.task_memory_bytes
        )
    except InterruptedComputationError:
        _hand_back(database, name, row_id, find)
        return
    except (ComputationError, ServiceError, MixlawsError) as raised:
        error = str(raised)
        _log.warning("%s %s failed: %s", name, row_id, error)
    except DATABASE_AWAY:
        raise
    except Exception:  # noqa: BLE001 - whatever it was, the row must not stay running
        error = _UNEXPECTED
        _log.exception("%s %s failed", name, row_id)
    _end(database, row_id, find, result, error)


def _hand_back(database: Database, name: str, row_id: UUID, find: Find) -> None:
    """Queue a row again whose computation was stopped."""
    with database.session() as session:
        row = find(session, row_id)
        if row is not None and row.state is TaskState.RUNNING:
            row.state = TaskState.QUEUED
            _defer(session, f"mixwright:{name}", row_id)


def _end(
    database: Database, row_id: UUID, find: Find, result: dict[str, Any] | None, error: str | None
) -> None:
    with database.session() as session:
        row = find(session, row_id)
        # A worker that was taken for dead may have come first: what was told once stands.
        if row is not None and row.state not in {TaskState.DONE, TaskState.FAILED}:
            row.state = TaskState.FAILED if error else TaskState.DONE
            row.result, row.error = result, error
            row.finished_at = runs.now(session)
