"""The application: wiring only."""

import contextlib
from collections.abc import AsyncIterator, Awaitable, Callable

from fastapi import FastAPI

from service import dashboard, health, problem_details
from service.audit import endpoints as audit
from service.auth import Gate
from service.callers import Callers
from service.db import Database
from service.direct import DirectBodies, DirectRoutes
from service.documentation import RESPONSES, TAGS, Documented
from service.domain_sets import endpoints as domain_sets
from service.fits import endpoints as fits
from service.fits.prediction import Predictors
from service.imports import endpoints as imports
from service.jobs import endpoints as jobs
from service.jobs import follow_endpoints as following
from service.jobs import order_endpoints as orders
from service.jobs.board import Board
from service.jobs.committing import Committer
from service.keys import endpoints as keys
from service.limits.bodies import Bodies
from service.limits.rates import Failures, Rates
from service.observing import endpoints as metrics
from service.observing import tracing
from service.observing.beside import Beside
from service.observing.metrics import Counters
from service.observing.observed import Observed
from service.observing.vitals import Vitals
from service.projects import endpoints as projects
from service.proposals import endpoints as proposals
from service.proxies import Proxied
from service.repeating import Repeating
from service.retention import endpoints as retention
from service.runs import endpoints as runs
from service.runs import work_endpoints as work
from service.settings import Settings
from service.studies import endpoints as studies
from service.study_files import endpoints as study_files
from service.sweeps import endpoints as sweeps
from service.tasks import endpoints as tasks
from service.tasks.waiting import Waiters
from service.tasks.worker import run_worker

_LIVE_CONNECTIONS = 3
_SLICES = (
    studies, domain_sets, sweeps, runs, work, imports, fits, proposals, tasks, jobs, following, orders,
    retention, study_files, keys, projects, audit, health, metrics,
)  # fmt: skip
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

**What holds everywhere.** Everything needs an API key with the right scope. Refusals are problem documents,
whose `type` leads to what to do. Lists come in pages: send each `next` as the next `cursor`. A write under
an `Idempotency-Key` is carried out once, however often it is sent. What you hold, by its ETag in
`If-None-Match`, is not sent again. `X-Request-Id` names a request; send one to give it a name of yours.
"""


def create_app(settings: Settings, database: Database) -> FastAPI:
    """The service on a database."""
    app = Documented(
        title="Mixwright",
        version="0.1.0",
        description=DESCRIPTION,
        lifespan=_lifespan,
        responses=RESPONSES,
        openapi_tags=TAGS,
        # The framework's interactive pages load scripts from elsewhere; the document is at /openapi.json.
        docs_url=None,
        redoc_url=None,
        # The framework's own telemetry asks the environment on every request whether it is wanted.
        telemetry={"tracing": False, "metrics": False, "logs": False},
        servers=[{"url": settings.root_path}] if settings.root_path else None,
        # It would answer with an address that a proxy's prefix is missing from.
        redirect_slashes=False,
    )
    # Trainers and whoever polls are served from connections of their own: requests that hang on a lock,
    # each with a connection, must not keep them waiting.
    live = Database(database.url, connections=_LIVE_CONNECTIONS)
    app.state.settings, app.state.database, app.state.live = settings, database, live
    app.state.callers = Callers(live)
    app.state.predictors = Predictors()
    app.state.waiters = Waiters(database)
    app.state.cursor_key = None  # read from the database once it is needed
    app.state.counters, app.state.vitals = Counters(), Vitals(live)
    app.state.failures = Failures(settings.failed_logins_per_minute)
    problem_details.install(app)
    for slice_ in _SLICES:
        app.include_router(slice_.router)
    dashboard.install(app)
    direct = DirectRoutes(app, (*following.DIRECT, *jobs.DIRECT, *dashboard.DIRECT))
    # What is added last stands in front.
    app.add_middleware(Repeating, files={study_files.IMPORT_PATH})
    app.add_middleware(DirectBodies, routes=direct)
    app.add_middleware(
        Bodies,
        largest=settings.largest_body_bytes,
        seconds=settings.body_seconds,
        files={study_files.IMPORT_PATH: settings.largest_import_bytes},
    )
    app.add_middleware(
        Gate,
        callers=app.state.callers,
        allowed_hosts=settings.allowed_hosts,
        direct=direct,
        failures=app.state.failures,
        rates=Rates(settings.requests_per_second),
    )
    if settings.trusted_proxies or settings.root_path:
        app.add_middleware(Proxied, trusted=settings.trusted_proxies, root_path=settings.root_path)
    app.add_middleware(Observed, counters=app.state.counters, access_log=settings.access_log)
    tracing.install(app, settings)
    return app


@contextlib.asynccontextmanager
async def _lifespan(app: FastAPI) -> AsyncIterator[None]:
    """Run what works beside the requests: the board, the committer, and the tasks."""
    database: Database = app.state.database
    settings: Settings = app.state.settings
    live: Database = app.state.live
    board = app.state.board = Board(live, most_waiters=settings.waiters)
    app.state.committer = Committer(live, board.published, app.state.counters)
    beside: dict[str, Callable[[], Awaitable[None]]] = {
        "the board": board.listen,
        "the board's check": board.check,
        "the committer": app.state.committer.run,
        "the watch over keys": app.state.callers.presence.keep,
        "who hears of tasks": app.state.waiters.listen,
    }
    if settings.tasks_inside:
        beside["the task worker"] = lambda: run_worker(database, settings)
    app.state.beside = Beside(beside)
    app.state.beside.start()
    try:
        yield
    finally:
        board.close()
        app.state.waiters.close()
        await app.state.beside.stop()
        live.close()
        if (provider := getattr(app.state, "tracer_provider", None)) is not None:
            provider.shutdown()
