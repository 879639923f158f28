"""A database that takes no connections for a while."""

from collections.abc import Iterator
from contextlib import contextmanager

import psycopg
from psycopg import sql

from tests.support.servers import Service

_END = "SELECT pg_terminate_backend(pid, 10000) FROM pg_stat_activity WHERE datname = %s AND query LIKE %s"


@contextmanager
def closed(service: Service, server_url: str, *, to: str = "%") -> Iterator[None]:
    """The service's database takes no new connections, and those whose last query is like `to` are ended."""
    name = str(service.database.engine.url.database)
    allow = sql.SQL("ALTER DATABASE {} ALLOW_CONNECTIONS {}")
    with psycopg.connect(server_url, autocommit=True) as connection:
        connection.execute(allow.format(sql.Identifier(name), sql.SQL("false")))
        connection.execute(_END, [name, to])
        try:
            yield
        finally:
            connection.execute(allow.format(sql.Identifier(name), sql.SQL("true")))
