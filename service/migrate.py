"""Bringing the database to the schema of this version: alembic, under a lock that all processes share."""

from importlib.resources import files
from pathlib import Path

from alembic import command
from alembic.config import Config
from alembic.runtime.migration import MigrationContext
from alembic.script import ScriptDirectory
from sqlalchemy import Connection
from sqlalchemy.engine import Engine

# Any number will do, as long as every version of the service uses the same.
_LOCK = 7_036_874_417


class SchemaTooNewError(Exception):
    """The database was migrated by a newer version of the service."""


def upgrade(engine: Engine) -> str:
    """Bring the schema to the newest revision, and say which that is.

    Processes that start together wait for the one that migrates. Everything happens in one transaction:
    a migration that is cut off leaves the old schema whole.

    Raises:
        SchemaTooNewError: the database knows a revision that this version does not.
    """
    config = _config()
    newest = ScriptDirectory.from_config(config).get_current_head() or ""
    with engine.connect() as connection:
        if _current(connection) == newest:
            return newest
    with engine.begin() as connection:
        # Whoever waits for a long migration must outlast it: the limits of a request are not meant for this.
        connection.exec_driver_sql("SET LOCAL statement_timeout = 0")
        connection.exec_driver_sql("SET LOCAL lock_timeout = 0")
        connection.exec_driver_sql(f"SELECT pg_advisory_xact_lock({_LOCK})")
        connection.exec_driver_sql("SET LOCAL lock_timeout TO DEFAULT")
        current = _current(connection)
        if current is not None and current not in _known(config):
            raise SchemaTooNewError(
                f"the database is at revision {current}, which this version does not know: "
                "install the version that migrated it, or restore a backup"
            )
        config.attributes["connection"] = connection
        command.upgrade(config, "head")
    return newest


def current(engine: Engine) -> str | None:
    """Revision of the database; None if it is empty."""
    with engine.connect() as connection:
        return _current(connection)


def newest() -> str:
    """Revision that this version needs."""
    return ScriptDirectory.from_config(_config()).get_current_head() or ""


def _current(connection: Connection) -> str | None:
    return MigrationContext.configure(connection).get_current_revision()


def _known(config: Config) -> set[str]:
    return {script.revision for script in ScriptDirectory.from_config(config).walk_revisions()}


def _config() -> Config:
    # In a wheel the migrations lie inside the package, in a checkout beside it.
    installed = Path(str(files("service"))) / "_migrations"
    folder = installed if installed.is_dir() else installed.parents[1] / "migrations"
    config = Config()
    config.set_main_option("script_location", str(folder).replace("%", "%%"))
    return config
