"""Keeping an embedded server up: one that died, as on a full disk, is started again once it can be."""

import threading
from collections.abc import Iterator
from contextlib import contextmanager

import psycopg

from service.embedded_postgres.embedded import EmbeddedPostgres, RunningServer
from service.embedded_postgres.errors import EmbeddedPostgresError
from service.embedded_postgres.progress import Report

LOOK_SECONDS = 2.0  # a look is one packet


@contextmanager
def watched(embedded: EmbeddedPostgres, *, report: Report) -> Iterator[RunningServer]:
    """Use a server for as long as the block, and revive it meanwhile if it dies.

    Args:
        embedded: the server.
        report: hears when it is started again, and why it could not be.
    """
    with embedded as running:
        ending = threading.Event()
        watcher = threading.Thread(
            target=_watch, args=(embedded, running.url, ending, report), name="postgres-watch", daemon=True
        )
        watcher.start()
        try:
            yield running
        finally:
            ending.set()
            watcher.join()  # before the server is released: it would be started again


def _watch(embedded: EmbeddedPostgres, url: str, ending: threading.Event, report: Report) -> None:
    told = ""
    while not ending.wait(LOOK_SECONDS):
        if psycopg.pq.PGconn.ping(url.encode()) != psycopg.pq.Ping.NO_RESPONSE:
            told = ""
            continue
        try:
            embedded.start()
        except EmbeddedPostgresError as error:
            if str(error) != told:  # once for each reason, and not every other second
                report(f"the database has ended and cannot be started again: {error}")
            told = str(error)
        else:
            report("the database had ended and was started again")
