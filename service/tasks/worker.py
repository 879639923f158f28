"""Workers on the same database: tasks are deferred in the transaction that makes the row.

A task that was deferred exists exactly if its row does. procrastinate hands it to one worker; the
arithmetic runs in a child process with a deadline and a memory limit. A worker that dies leaves its row
running; another worker finds the task again, as procrastinate's heartbeats tell, and queues rows again that
no task is left for. No row stays running whose task ended.
"""

import asyncio
import logging
from functools import partial

import procrastinate
from procrastinate import App, JobContext, PsycopgConnector
from procrastinate.exceptions import ConnectorException

from service.compute.child import Children
from service.db import Database
from service.deferring import task_name
from service.problem_details import DATABASE_AWAY
from service.retention.cleaning import clean
from service.settings import Settings
from service.tasks import asking, repository
from service.tasks.kinds import KINDS
from service.tasks.working import Workplace, work

_log = logging.getLogger("service.tasks")

_POLL_SECONDS = 1.0  # for a notification that was lost, and for tries whose time has come
_TAKE_OVER_SECONDS = 10.0
_CLEAN_CRON = "*/5 * * * *"


async def run_worker(database: Database, settings: Settings) -> None:
    """Work on tasks until cancelled."""
    concurrency = settings.task_concurrency
    app = App(connector=PsycopgConnector(conninfo=database.conninfo, min_size=1, max_size=2 + concurrency))
    for kind in KINDS:
        app.task(name=task_name(kind), pass_context=True)(partial(work, kind))
    cleaning = app.task(name=task_name("clean"), pass_context=True, lock="clean", queueing_lock="clean")(
        _clean
    )
    app.periodic(cron=_CLEAN_CRON)(cleaning)
    children = Children()
    working = app.run_worker_async(
        concurrency=concurrency,
        install_signal_handlers=False,
        fetch_job_polling_interval=_POLL_SECONDS,
        delete_jobs=procrastinate.jobs.DeleteJobCondition.SUCCESSFUL,
        additional_context={"workplace": Workplace(database, settings, children)},
    )
    async with app.open_async():
        beside = [asyncio.ensure_future(working), asyncio.ensure_future(_take_over(app, database))]
        try:
            await asyncio.gather(*beside)
        finally:
            # A worker that is asked to end waits for its task: without its child the task ends at once.
            children.stop()
            for task in beside:
                task.cancel()
            await asyncio.gather(*beside, return_exceptions=True)


def _clean(context: JobContext, timestamp: int) -> None:
    """Remove what was deleted and what is too old; `timestamp` is when it fell due, and of no matter."""
    del timestamp
    workplace: Workplace = context.additional_context["workplace"]
    removed = clean(workplace.database, keep_reports_days=workplace.settings.keep_reports_days)
    if removed:
        _log.info("removed rows: %s", ", ".join(f"{count} of {name}" for name, count in removed.items()))


async def _take_over(app: App, database: Database) -> None:
    """Queue again what was in the hands of workers that died."""
    while True:
        try:
            for job in await app.job_manager.get_stalled_jobs():
                _log.info("taking over task %s, whose worker died", job.id)
                await app.job_manager.retry_job(job)
            await asyncio.to_thread(_queue_lost, database)
        except ConnectorException as error:
            # Another worker was faster, or the database is away: neither may cost us the tasks in our hands.
            _log.info("taking over nothing: %s", error.__cause__ or error)
        except DATABASE_AWAY as error:
            _log.info("looking for nothing that was lost: %s", type(error).__name__)
        await asyncio.sleep(_TAKE_OVER_SECONDS)


def _queue_lost(database: Database) -> None:
    """Queue rows again that no task is left for, such as of a worker that lost its database in between."""
    with database.session() as session:
        found = repository.lost(session)
        for kind, row_id in found:
            row = KINDS[kind].find(session, row_id)
            # Locked now: whether it is lost is asked again, since another worker may have been faster.
            if row is not None and (kind, row_id) in repository.lost(session):
                _log.warning("%s %s was lost and is queued again", kind, row_id)
                asking.queue_again(session, kind, row)
