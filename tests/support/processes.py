"""Functions in processes of their own, which may be killed: forked from a clean one that has imported all."""

import multiprocessing
import os
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from multiprocessing.connection import Connection
from multiprocessing.process import BaseProcess
from pathlib import Path
from typing import Any

import mixwright.serving  # noqa: F401 - heavy, and imported once for all that are forked
from mixwright.cli import main
from service import migrate
from service.app import create_app
from service.db import Database
from service.fail_points import VARIABLE
from service.server import Server, bind, url_of
from service.settings import Settings

_CONTEXT = multiprocessing.get_context("forkserver")
_CONTEXT.set_forkserver_preload(["tests.support.processes"])
_SECONDS = 60


@contextmanager
def spawned(
    work: Callable[..., None], *arguments: Any, fail_point: str = ""
) -> Iterator[tuple[BaseProcess, Connection]]:
    """A process, and what it tells; killed at the end of the block."""
    here, there = _CONTEXT.Pipe()
    process = _CONTEXT.Process(target=_run, args=(work, there, fail_point, arguments), daemon=True)
    process.start()
    there.close()
    try:
        yield process, here
    finally:
        process.kill()
        process.join()
        here.close()


@contextmanager
def served(database: Database, folder: Path, *, fail_point: str = "") -> Iterator[tuple[BaseProcess, str]]:
    """The service in a process of its own, which dies at a fail point; with its address."""
    with spawned(_serve, database.url, folder, fail_point=fail_point) as (process, told):
        assert told.poll(_SECONDS), "the service did not start"
        yield process, told.recv()


def command(_: Connection, arguments: list[str], environment: dict[str, str]) -> None:
    """Run a command of the command line, as its own process does."""
    os.environ |= environment
    sys.argv = ["mixwright", *arguments]
    main()


def upgrade(told: Connection, url: str) -> None:
    """Bring a database up to date, as a replica does at its start; tells the revisions that it made."""
    database = Database(url)
    made: list[str] = []
    migrate.upgrade(database.engine, report=made.append)
    database.close()
    told.send(made)


def _serve(told: Connection, url: str, folder: Path) -> None:
    app = create_app(Settings(data_folder=folder, tasks_inside=False), Database(url))
    listening = bind("127.0.0.1", 0)
    told.send(url_of(listening))
    Server(app).run(sockets=[listening])


def _run(work: Callable[..., None], told: Connection, fail_point: str, arguments: tuple[Any, ...]) -> None:
    if fail_point:
        os.environ[VARIABLE] = f"{fail_point}:kill"
    work(told, *arguments)
