"""The service itself, listening on a port, in a thread of the test."""

import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import httpx

from mixclient import ONCE, ServiceClient
from service.app import create_app
from service.db import Database
from service.keys.service import create_key
from service.scopes import EVERY_SCOPE
from service.server import Server, bind, url_of
from service.settings import Settings


@dataclass(frozen=True)
class Service:
    """A running service.

    Args:
        url: its address.
        database: what it runs on.
        key: a key with every scope.
        client: a client with that key, a `ServiceClient`; tests also send what its types would refuse.
        project: whose key it is.
    """

    url: str
    database: Database
    key: str
    client: Any
    project: str = "default"

    def new_key(self, *scopes: str, project: str | None = None, days: int | None = None) -> str:
        """A key with some scopes."""
        with self.database.session() as session:
            _, secret = create_key(
                session, name="test", scopes=scopes or EVERY_SCOPE, project=project or self.project, days=days
            )
        return secret.text

    def known_keys(self) -> dict[str, Any]:
        """Every key of the project, by its id."""
        listed = self.client.keys()
        return {row["id"]: row for row in listed}

    def http(self, key: str | None = None, **headers: str) -> httpx.Client:
        """A plain HTTP client, with a key or without."""
        authorisation = {"Authorization": f"Bearer {key}"} if key else {}
        return httpx.Client(
            base_url=self.url,
            headers={**authorisation, **headers},
            timeout=30,
            trust_env=False,
            verify=False,  # noqa: S501 - there is no TLS, and to load certificates takes 0.1 s
        )

    def call(self, method: str, path: str, body: Any = None, **kwargs: Any) -> httpx.Response:
        """A call with the key of every scope, whose answer may be a problem."""
        with self.http(self.key) as http:
            return http.request(method, path, json=body, **kwargs)


@contextmanager
def running(database: Database, folder: Path, *, port: int = 0, **settings: Any) -> Iterator[Service]:
    """The service on a database; on a free port, or on the one that it had before."""
    app = create_app(Settings(data_folder=folder, **settings), database)
    listening = bind("127.0.0.1", port)
    server = Server(app)
    thread = threading.Thread(target=server.run, kwargs={"sockets": [listening]}, daemon=True)
    thread.start()
    url = url_of(listening)
    deadline = time.monotonic() + 30
    while not server.started:
        assert thread.is_alive(), "the server did not start"
        assert time.monotonic() < deadline, "the server did not start in time"
        time.sleep(0.005)
    with database.session() as session:
        _, secret = create_key(session, name="test", scopes=EVERY_SCOPE)
    client = ServiceClient(url, secret.text, retry=ONCE)
    try:
        yield Service(url, database, secret.text, client)
    finally:
        client.close()
        server.stop()
        thread.join(15)
        listening.close()
        assert not thread.is_alive(), "the server did not end"
