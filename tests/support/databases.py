"""One embedded PostgreSQL for all tests of a session, and a fresh database, copied from a migrated
template, for each test that wants one."""

import fcntl
import hashlib
import os
import shutil
import uuid
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import psycopg
from alembic import command
from sqlalchemy import Engine
from sqlalchemy.engine import make_url

from service import migrate
from service.db import Database
from service.embedded_postgres import EmbeddedPostgres

_TEMPLATE = "migrated_template"


@contextmanager
def shared_server(session: Path) -> Iterator[str]:
    """URL of a server that all processes of a test session share, with a migrated template.

    Args:
        session: a folder that the processes of this test session share; it names the server.
    """
    folder = _fast_folder(session)
    with EmbeddedPostgres(folder) as server:
        with (session / "postgres.lock").open("w") as held:
            fcntl.flock(held, fcntl.LOCK_EX)
            _ensure_template(server.url)
        yield server.url
    if not list(folder.rglob("postmaster.pid")):  # nobody else uses it
        shutil.rmtree(folder, ignore_errors=True)


def _fast_folder(session: Path) -> Path:
    """A database is a thousand files, which take a second on many a disk and none in memory."""
    memory = Path("/dev/shm")
    if memory.is_dir() and os.access(memory, os.W_OK):
        return memory / f"mixwright-{hashlib.sha256(str(session).encode()).hexdigest()[:12]}"
    return session / "postgres"


@contextmanager
def fresh_database(server_url: str) -> Iterator[Database]:
    """A migrated database of its own, gone afterwards."""
    name = f"test_{uuid.uuid4().hex}"
    _execute(server_url, f'CREATE DATABASE "{name}" TEMPLATE {_TEMPLATE}')
    database = Database(_named(server_url, name))
    try:
        yield database
    finally:
        database.close()
        _execute(server_url, f'DROP DATABASE "{name}" WITH (FORCE)')


def go_back(engine: Engine, revision: str) -> None:
    """Undo migrations, down to a revision."""
    config = migrate._config()
    with engine.begin() as connection:
        config.attributes["connection"] = connection
        command.downgrade(config, revision)


def empty_database(server_url: str) -> str:
    """URL of a new database without tables."""
    name = f"empty_{uuid.uuid4().hex}"
    _execute(server_url, f'CREATE DATABASE "{name}"')
    return _named(server_url, name)


def _ensure_template(server_url: str) -> None:
    with psycopg.connect(server_url, autocommit=True) as connection:
        found = connection.execute("SELECT 1 FROM pg_database WHERE datname = %s", [_TEMPLATE]).fetchone()
        if found:
            return
        connection.execute(f"CREATE DATABASE {_TEMPLATE}_unfinished")
    database = Database(_named(server_url, f"{_TEMPLATE}_unfinished"))
    migrate.upgrade(database.engine)
    database.close()
    _execute(server_url, f"ALTER DATABASE {_TEMPLATE}_unfinished RENAME TO {_TEMPLATE}")


def _named(server_url: str, name: str) -> str:
    return make_url(server_url).set(database=name).render_as_string(hide_password=False)


def _execute(server_url: str, statement: str) -> None:
    with psycopg.connect(server_url, autocommit=True) as connection:
        connection.execute(statement)
