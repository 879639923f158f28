"""Faults brought about in an installation, and mended again once clients have felt them."""

import signal
from collections.abc import Callable, Iterator, Mapping
from contextlib import AbstractContextManager, contextmanager

import psycopg
from psycopg import sql

from tests.support.histories.faults import ENDED, KILLED, PAUSED, Fault, Place
from tests.support.histories.history import Recorder
from tests.support.histories.world import World
from tests.support.proxy import Mode, Proxy
from tests.support.trainers import until

# A fault under which nothing ends is mended after this time; what is checked does not depend on it.
_LONGEST_SECONDS = 0.4

Failing = AbstractContextManager[None]


def bring_about(world: World, fault: Fault, recorder: Recorder) -> None:
    """Let one thing go wrong while clients work, and mend it."""
    recorder.wait_for_more(fault.pause, seconds=_LONGEST_SECONDS)
    with _FAILING[fault.place](world, fault):
        recorder.wait_for_more(fault.operations, seconds=_LONGEST_SECONDS)


@contextmanager
def _process(world: World, fault: Fault) -> Iterator[None]:
    replica = world.replicas[fault.replica]
    if fault.what == PAUSED:
        replica.send(signal.SIGSTOP)
        yield
        replica.send(signal.SIGCONT)
        return
    if fault.what == KILLED:
        replica.send(signal.SIGKILL)
    elif fault.what == ENDED:
        replica.send(signal.SIGTERM)
    else:
        replica.start(fail_point=fault.what)
    yield
    if fault.what == ENDED:
        until(lambda: not replica.is_running)
    replica.start()


def _network(of: Callable[[World, Fault], Proxy]) -> Callable[[World, Fault], Failing]:
    @contextmanager
    def failing(world: World, fault: Fault) -> Iterator[None]:
        network = of(world, fault)
        network.set(Mode(fault.what))
        yield
        network.set(Mode.PASS)

    return failing


@contextmanager
def _sessions(world: World, _: Fault) -> Iterator[None]:
    end = (
        "SELECT pg_terminate_backend(pid) FROM pg_stat_activity "
        "WHERE pid <> pg_backend_pid() AND datname = %s"
    )
    with psycopg.connect(world.server.database.conninfo, autocommit=True) as operator:
        operator.execute(end, [operator.info.dbname])
        yield
        operator.execute(end, [operator.info.dbname])


@contextmanager
def _table(world: World, fault: Fault) -> Iterator[None]:
    with psycopg.connect(world.server.database.conninfo) as holding:
        holding.execute(sql.SQL("LOCK TABLE {} IN ACCESS EXCLUSIVE MODE").format(sql.Identifier(fault.what)))
        yield
        holding.rollback()


@contextmanager
def _server(world: World, _: Fault) -> Iterator[None]:
    world.server.stop()
    yield
    world.server.start()


_FAILING: Mapping[Place, Callable[[World, Fault], Failing]] = {
    Place.CLIENTS: _network(lambda world, fault: world.replicas[fault.replica].to_clients),
    Place.DATABASE: _network(lambda world, fault: world.replicas[fault.replica].to_database),
    Place.PROCESS: _process,
    Place.SESSIONS: _sessions,
    Place.TABLE: _table,
    Place.SERVER: _server,
}
