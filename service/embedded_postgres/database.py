"""The role and the database of Mixwright in the cluster, and how to connect to them."""

import os
from pathlib import Path
from urllib.parse import quote

import psycopg
from psycopg import sql

from service.embedded_postgres.errors import ServerStartError

ROLE = "mixwright"
DATABASE = "mixwright"
PORT = 5432  # no port is open: the number is part of the socket's name
_MAINTENANCE = "postgres"  # initdb makes it; the way in before our own database exists
_CONNECT_SECONDS = 30  # the server has said it is ready: only a machine short of everything takes longer


def connection_url(sockets: Path, password: str, *, database: str = DATABASE) -> str:
    """The URL of a database, in libpq's form, complete with the password."""
    folder = quote(os.fsencode(sockets), safe="")
    return f"postgresql://{ROLE}:{quote(password, safe='')}@/{database}?host={folder}&port={PORT}"


def accepts_connections(sockets: Path) -> bool:
    """Whether a server listens and is past recovery; nobody logs in for this."""
    url = f"{connection_url(sockets, '', database=_MAINTENANCE)}&connect_timeout=2"
    return psycopg.pq.PGconn.ping(url.encode()) == psycopg.pq.Ping.OK


def ensure_database(sockets: Path, password: str, *, is_new: bool) -> str:
    """Connect to our database, which is created where it is missing.

    Args:
        sockets: the folder of the server's socket.
        password: of our role.
        is_new: whether the cluster was just made, so that our database is known to be missing.

    Returns:
        The URL that the connection was made with.

    Raises:
        ServerStartError: the server refuses the connection.
    """
    url = connection_url(sockets, password)
    maintenance = connection_url(sockets, password, database=_MAINTENANCE)
    try:
        if is_new or not _can_connect(url):
            # Missing also if the first start was killed before this; a failed connection does not say why.
            _create_database(maintenance)
            _connect(url).close()
    except psycopg.Error as error:
        raise ServerStartError(
            f"PostgreSQL runs, but refuses the role {ROLE!r}: {str(error).strip()}. "
            "If the password was changed, write the new one to the file 'password' beside the data; "
            "if connections ran out, close some"
        ) from error
    return url


def _can_connect(url: str) -> bool:
    try:
        _connect(url).close()
    except psycopg.OperationalError:
        return False
    return True


def _create_database(url: str) -> None:
    with _connect(url) as connection:
        found = connection.execute("SELECT 1 FROM pg_database WHERE datname = %s", [DATABASE]).fetchone()
        if found is None:
            connection.execute(sql.SQL("CREATE DATABASE {}").format(sql.Identifier(DATABASE)))


def _connect(url: str) -> psycopg.Connection:
    return psycopg.connect(url, autocommit=True, connect_timeout=_CONNECT_SECONDS)
