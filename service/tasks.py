"""Background tasks on the same database: deferred in the transaction that makes the row.

A task that was deferred exists exactly if its row does. procrastinate hands it to one worker; the
arithmetic runs in a child process with a deadline and a memory limit. A worker that dies leaves its row
running; another worker finds the task again, as procrastinate's heartbeats tell. No row stays running
whose task ended: what nobody expected is a failure too, and while the database is away a task is tried again.
"""

import asyncio
import logging
from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from typing import Any
from uuid import UUID

import procrastinate
from procrastinate import App, JobContext, PsycopgConnector, RetryStrategy
from procrastinate.exceptions import ConnectorException
from sqlalchemy.orm import Session

from mixlaws.errors import MixlawsError
from service.compute.child import Children, ComputationError, InterruptedComputationError
from service.db import Database
from service.deferring import defer
from service.errors import ServiceError
from service.fits import repository as fits
from service.fits import service as fit_service
from service.jobs import expensive, log_repository
from service.models import ExpensiveStep, Fit, ProposalRequest, Study, TaskState
from service.problem_details import DATABASE_AWAY
from service.proposals import repository as proposals
from service.proposals import service as proposal_service
from service.retention.cleaning import clean
from service.runs import repository as runs
from service.settings import Settings

_log = logging.getLogger("service.tasks")

_POLL_SECONDS = 2.0  # for a notification that was lost
_TAKE_OVER_SECONDS = 10.0
# Five minutes: a database that stays away longer is an outage, after which people look.
_TRY_AGAIN = RetryStrategy(max_attempts=60, wait=5, retry_exceptions=DATABASE_AWAY)
_CLEAN_CRON = "*/5 * * * *"
_UNEXPECTED = "an unexpected error, which is in the log of the service: ask for it again, or report it"
Row = Fit | ProposalRequest | ExpensiveStep
Result = dict[str, Any] | None


@dataclass(frozen=True)
class _Kind:
    """A kind of work.

    Args:
        find: its row, locked.
        task_input: what the child needs.
        end: told the row with the result, or with the error.
    """

    find: Callable[[Session, UUID], Row | None]
    task_input: Callable[[Session, Any], dict[str, Any]]
    end: Callable[[Session, Any, Result, str | None], None]


def _keep(_: Session, row: Fit | ProposalRequest, result: Result, error: str | None) -> None:
    row.result, row.error = result, error


def _with_study(
    task_input: Callable[[Session, Any, Study], dict[str, Any]],
) -> Callable[[Session, Any], dict[str, Any]]:
    return lambda session, row: task_input(session, row, session.get_one(Study, row.study_id))


_KINDS = {
    "fit": _Kind(fits.locked, _with_study(fit_service.task_input), _keep),
    "proposal": _Kind(proposals.locked, _with_study(proposal_service.task_input), _keep),
    "policy-step": _Kind(log_repository.locked_step, expensive.task_input, expensive.enter),
}


def defer_fit(session: Session, fit_id: UUID) -> None:
    """Queue the work of a fit, in the caller's transaction."""
    defer(session, "mixwright:fit", fit_id)


def defer_proposal(session: Session, proposal_id: UUID) -> None:
    """Queue the work of a proposal, in the caller's transaction."""
    defer(session, "mixwright:proposal", proposal_id)


async def run_worker(database: Database, settings: Settings) -> None:
    """Work on tasks until cancelled."""
    concurrency = settings.task_concurrency
    app = App(connector=PsycopgConnector(conninfo=database.conninfo, min_size=1, max_size=2 + concurrency))
    for name in _KINDS:
        app.task(name=f"mixwright:{name}", pass_context=True, retry=_TRY_AGAIN)(partial(_work, name))
    cleaning = app.task(name="mixwright:clean", pass_context=True, lock="clean", queueing_lock="clean")(
        _clean
    )
    app.periodic(cron=_CLEAN_CRON)(cleaning)
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


def _clean(context: JobContext, timestamp: int) -> None:
    """Remove what was deleted and what is too old; `timestamp` is when it fell due, and of no matter."""
    del timestamp
    database: Database = context.additional_context["database"]
    settings: Settings = context.additional_context["settings"]
    removed = clean(database, keep_reports_days=settings.keep_reports_days)
    if removed:
        _log.info("removed rows: %s", ", ".join(f"{count} of {name}" for name, count in removed.items()))


def _work(name: str, context: JobContext, *, row_id: str) -> None:
    """Take a row through running to done or failed; no transaction is open while the child computes."""
    database: Database = context.additional_context["database"]
    settings: Settings = context.additional_context["settings"]
    children: Children = context.additional_context["children"]
    kind, row_key = _KINDS[name], UUID(row_id)
    result, error = None, None
    try:
        with database.session() as session:
            row = kind.find(session, row_key)
            if row is None or row.state in {TaskState.DONE, TaskState.FAILED}:
                return
            row.state = TaskState.RUNNING
            raw = kind.task_input(session, row)
        result = children.compute(
            name, raw, seconds=settings.task_seconds, memory_bytes=settings.task_memory_bytes
        )
    except InterruptedComputationError:
        _hand_back(database, name, row_key)
        return
    except (ComputationError, ServiceError, MixlawsError) as raised:
        error = str(raised)
        _log.warning("%s %s failed: %s", name, row_id, error)
    except DATABASE_AWAY:
        raise
    except Exception:  # noqa: BLE001 - whatever it was, the row must not stay running
        error = _UNEXPECTED
        _log.exception("%s %s failed", name, row_id)
    _end(database, name, row_key, result, error)


def _hand_back(database: Database, name: str, row_id: UUID) -> None:
    """Queue a row again whose computation was stopped."""
    with database.session() as session:
        row = _KINDS[name].find(session, row_id)
        if row is not None and row.state is TaskState.RUNNING:
            row.state = TaskState.QUEUED
            defer(session, f"mixwright:{name}", row_id)


def _end(database: Database, name: str, row_id: UUID, result: Result, error: str | None) -> None:
    try:
        _tell(database, name, row_id, result, error)
    except DATABASE_AWAY:
        raise
    except Exception:  # noqa: BLE001 - a row that stays running is never worked on again
        _log.exception("the result of %s %s could not be stored", name, row_id)
        with database.session() as session:
            row = _KINDS[name].find(session, row_id)
            if row is not None:
                row.state, row.error, row.finished_at = TaskState.FAILED, _UNEXPECTED, runs.now(session)


def _tell(database: Database, name: str, row_id: UUID, result: Result, error: str | None) -> None:
    with database.session() as session:
        row = _KINDS[name].find(session, row_id)
        # A worker that was taken for dead may have come first: what was told once stands.
        if row is not None and row.state not in {TaskState.DONE, TaskState.FAILED}:
            row.state = TaskState.FAILED if error else TaskState.DONE
            row.finished_at = runs.now(session)
            _KINDS[name].end(session, row, result, error)
