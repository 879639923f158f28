"""The application: wiring only."""

import asyncio
import contextlib
import logging
from collections.abc import AsyncIterator, Awaitable, Callable

from fastapi import FastAPI

from service import dashboard, health, problem_details
from service.auth import Gate
from service.callers import Callers
from service.db import Database
from service.documentation import RESPONSES, Documented
from service.fits import endpoints as fits
from service.fits.prediction import Predictors
from service.imports import endpoints as imports
from service.jobs import endpoints as jobs
from service.jobs import order_endpoints as orders
from service.jobs.board import Board
from service.jobs.committing import Committer
from service.keys import endpoints as keys
from service.proposals import endpoints as proposals
from service.runs import endpoints as runs
from service.settings import Settings
from service.studies import endpoints as studies
from service.sweeps import endpoints as sweeps
from service.tasks import endpoints as tasks
from service.tasks.waiting import Waiters
from service.tasks.worker import run_worker

_log = logging.getLogger("service")

_RESTART_SECONDS = 1.0
_LIVE_CONNECTIONS = 3
DESCRIPTION = """
Decides what a language model trains on next.

**Find a mixture.** `POST /v1/studies` names domains and targets; `POST /v1/studies/{study}/sweeps` designs
mixtures and queues proxy runs; workers claim, train and finish them under `/v1/runs`;
`POST /v1/studies/{study}/fits` fits laws and regressors with held-out scores, and
`POST /v1/fits/{fit_id}/predict` asks one of them about any mixture;
`POST /v1/studies/{study}/proposals` says which mixture to train next, and how sure one can be.

**Steer a training job.** `POST /v1/jobs` creates it; the trainer polls `GET /v1/jobs/{job}/schedule`, sends
`POST /v1/jobs/{job}/reports` and acknowledges versions. People pin, freeze, release and roll back, each with
a reason; `GET /v1/jobs/{job}/audit` tells who changed what and why.

Everything needs an API key with the right scope.
"""


def create_app(settings: Settings, database: Database) -> FastAPI:
    """The service on a database."""
    app = Documented(
        title="Mixwright",
        version="0.1.0",
        description=DESCRIPTION,
        lifespan=_lifespan,
        responses=RESPONSES,
        # The framework's interactive pages load scripts from elsewhere; the document is at /openapi.json.
        docs_url=None,
        redoc_url=None,
    )
    # Trainers and whoever polls are served from connections of their own: requests that hang on a lock,
    # each with a connection, must not keep them waiting.
    live = Database(database.url, connections=_LIVE_CONNECTIONS)
    app.state.settings, app.state.database, app.state.live = settings, database, live
    app.state.callers = Callers(live)
    app.state.predictors = Predictors()
    app.state.waiters = Waiters(database)
    problem_details.install(app)
    for slice_ in (studies, sweeps, runs, imports, fits, proposals, tasks, jobs, orders, keys, health):
        app.include_router(slice_.router)
    dashboard.install(app)
    app.add_middleware(
        Gate,
        callers=app.state.callers,
        allowed_hosts=settings.allowed_hosts,
        largest_body=settings.largest_body_bytes,
    )
    return app


@contextlib.asynccontextmanager
async def _lifespan(app: FastAPI) -> AsyncIterator[None]:
    """Run what works beside the requests: the board, the committer, and the tasks."""
    database: Database = app.state.database
    settings: Settings = app.state.settings
    live: Database = app.state.live
    board = app.state.board = Board(live)
    app.state.committer = Committer(live, board.published)
    beside: dict[str, Callable[[], Awaitable[None]]] = {
        "the board": app.state.board.listen,
        "the committer": app.state.committer.run,
        "who hears of tasks": app.state.waiters.listen,
    }
    if settings.tasks_inside:
        beside["the task worker"] = lambda: run_worker(database, settings)
    running = [asyncio.create_task(_kept_alive(name, work)) for name, work in beside.items()]
    try:
        yield
    finally:
        app.state.board.close()
        app.state.waiters.close()
        for task in running:
            task.cancel()
        await asyncio.gather(*running, return_exceptions=True)
        live.close()


async def _kept_alive(name: str, work: Callable[[], Awaitable[None]]) -> None:
    """Start work again that ended, such as when the database was away for a while."""
    while True:
        try:
            await work()
        except Exception:  # noqa: BLE001 - whatever it was, the rest of the process needs this part
            _log.exception("%s ended and is started again", name)
        await asyncio.sleep(_RESTART_SECONDS)
