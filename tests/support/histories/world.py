"""A small installation that can be made to fail: two processes, their database, networks in between."""

import http.client
import os
import signal
from collections.abc import Iterator
from contextlib import ExitStack, closing, contextmanager, suppress
from pathlib import Path
from urllib.parse import urlsplit

from service.db import Database
from tests.support.own_server import OwnServer, own_server
from tests.support.processes import served
from tests.support.proxy import Mode, Proxy, proxied, proxied_database
from tests.support.trainers import until

REPLICAS = 2


class Replica:
    """One process of the service, started anew as often as it ends.

    Args:
        to_database: the network between it and the database.
        database: what it runs on, through that network.
        to_clients: the network between it and its clients.
        folder: of its files.
    """

    def __init__(self, to_database: Proxy, database: Database, to_clients: Proxy, folder: Path) -> None:
        self.to_database, self.to_clients = to_database, to_clients
        self._database, self._folder = database, folder
        self._running = ExitStack()

    def start(self, *, fail_point: str = "") -> None:
        """Start it, and kill what is left of it; at a fail point it kills itself."""
        self._running.close()
        self._process, self._address = self._running.enter_context(
            served(self._database, self._folder, fail_point=fail_point)
        )
        self.to_clients.lead_to(self._address)

    def send(self, number: signal.Signals) -> None:
        """Send it a signal, if it is there."""
        if self.is_running and self._process.pid is not None:
            os.kill(self._process.pid, number)

    @property
    def is_running(self) -> bool:
        """Whether it has not ended."""
        return self._process.exitcode is None

    def is_ready(self) -> bool:
        """Whether it says that it can serve."""
        connection = http.client.HTTPConnection(urlsplit(self._address).netloc, timeout=5)
        with closing(connection), suppress(OSError, http.client.HTTPException):
            connection.request("GET", "/readyz")
            return connection.getresponse().status == http.client.OK
        return False

    def close(self) -> None:
        """End it."""
        self._running.close()


class World:
    """The installation.

    Args:
        server: of the database.
        replicas: the processes.
    """

    def __init__(self, server: OwnServer, replicas: list[Replica]) -> None:
        self.server, self.replicas = server, replicas

    @property
    def addresses(self) -> list[str]:
        """Where clients find the processes."""
        return [replica.to_clients.url for replica in self.replicas]

    def mend(self) -> None:
        """Start what has ended, let all networks pass, and wait until every process serves."""
        for replica in self.replicas:
            for network in (replica.to_clients, replica.to_database):
                if network.mode is not Mode.PASS:
                    network.set(Mode.PASS)
            if not replica.is_running:
                replica.start()
        for replica in self.replicas:
            until(replica.is_ready)


@contextmanager
def built(folder: Path) -> Iterator[World]:
    """An installation that serves."""
    with ExitStack() as opened:
        server = opened.enter_context(own_server())
        replicas = []
        for number in range(REPLICAS):
            to_database, url = opened.enter_context(proxied_database(server.running.url))
            to_clients = opened.enter_context(proxied("http://127.0.0.1:9"))  # led to the process at once
            database = Database(url)
            opened.callback(database.close)
            replica = Replica(to_database, database, to_clients, folder / str(number))
            opened.callback(replica.close)
            replica.start()
            replicas.append(replica)
        world = World(server, replicas)
        world.mend()
        yield world
