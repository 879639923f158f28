"""The metrics of a process, for Prometheus."""

import logging
from collections.abc import Iterable, Iterator
from typing import Annotated

from fastapi import APIRouter, Request, Response
from prometheus_client import CollectorRegistry, ProcessCollector, generate_latest
from prometheus_client.core import Metric
from prometheus_client.registry import Collector
from sqlalchemy.exc import SQLAlchemyError
from starlette.datastructures import State

from service.observing.metrics import Counters, gauge
from service.observing.vitals import Vitals
from service.scopes import Principal, Scope, needs

_log = logging.getLogger("service.metrics")
_TEXT = "text/plain; version=0.0.4; charset=utf-8"
router = APIRouter(tags=["operations"])


@router.get(
    "/metrics",
    response_class=Response,
    responses={
        200: {
            "content": {"text/plain": {"schema": {"type": "string"}}},
            "description": "Samples as text, for Prometheus.",
        }
    },
)
async def get_metrics(request: Request, _caller: Annotated[Principal, needs(Scope.METRICS_READ)]) -> Response:
    """What this process counts, and what is stored, over all projects; no project or job is named."""
    state: State = request.app.state
    counters: Counters = state.counters
    vitals: Vitals = state.vitals
    try:
        stored, answers = await vitals.stored(), True
    except SQLAlchemyError as error:
        _log.warning("metrics without those of the database: %s", type(error).__name__)
        stored, answers = [], False
    registry = CollectorRegistry(auto_describe=False)
    ProcessCollector(registry=registry)
    registry.register(_Given([*counters.collect(), *present(state, answers=answers), *stored]))
    return Response(generate_latest(registry), media_type=_TEXT)


class _Given(Collector):
    """Metrics that are there already."""

    def __init__(self, metrics: Iterable[Metric]) -> None:
        self._metrics = list(metrics)

    def collect(self) -> Iterable[Metric]:
        """Them."""
        return self._metrics

    def describe(self) -> Iterable[Metric]:
        """Nothing: they belong to one scrape."""
        return []


def present(state: State, *, answers: bool) -> Iterator[Metric]:
    """The state of a process at the moment."""
    board, settings = state.board, state.settings
    yield gauge("waiters", "Long polls and streams that wait.", [((), board.waiting)])
    yield gauge("waiters_most", "How many may wait.", [((), settings.waiters)])
    yield gauge("listening", "Whether notifications of new versions are heard.", [((), board.listening)])
    yield gauge(
        "schedule_copy_age_seconds", "Age of the oldest copy that polls get.", [((), board.oldest_seconds)]
    )
    yield gauge(
        "reports_waiting", "Calls with reports that wait for a commit.", [((), state.committer.waiting)]
    )
    yield gauge("database_up", "Whether the database answered this scrape in time.", [((), answers)])
    embedded = settings.database_url is None
    yield gauge("database_embedded", "Whether the database is our own.", [((), embedded)])
    pools = {"requests": state.database.engine.pool, "live": state.live.engine.pool}
    used = [((name,), pool.checkedout()) for name, pool in pools.items()]
    yield gauge("database_connections_used", "Connections in use.", used, ("pool",))
    most = [((name,), 2 * pool.size()) for name, pool in pools.items()]
    yield gauge("database_connections_most", "Connections that may be in use.", most, ("pool",))
    ended = [((name,), name in state.beside.failed) for name in state.beside.names]
    yield gauge(
        "part_failed", "Whether a part of the process has ended and is started again.", ended, ("part",)
    )
