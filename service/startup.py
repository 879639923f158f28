"""From settings to a database that is there and up to date."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

from sqlalchemy.engine import make_url
from sqlalchemy.exc import ArgumentError, OperationalError

from service import fail_points, migrate
from service.db import Database
from service.embedded_postgres import EmbeddedPostgres, default_folder
from service.embedded_postgres.watching import watched
from service.settings import Settings


class DatabaseUnreachableError(Exception):
    """The database that the settings name does not answer."""


@contextmanager
def opened(settings: Settings, *, report: Callable[[str], None] = lambda _: None) -> Iterator[Database]:
    """The database of the settings, brought to the schema of this version.

    Raises:
        DatabaseUnreachableError: the server does not answer.
        SchemaTooNewError: the database was migrated by a newer version.
        EmbeddedPostgresError: the embedded server cannot run; the text says why.
        FailPointsError: fail points are set outside a test.
    """
    fail_points.check()
    with connected(settings, report=report) as database:
        migrate.upgrade(database.engine, report=report)
        yield database


@contextmanager
def connected(settings: Settings, *, report: Callable[[str], None] = lambda _: None) -> Iterator[Database]:
    """The database of the settings as it is; an embedded server runs for as long as the block.

    Raises:
        DatabaseUnreachableError: the server does not answer.
        EmbeddedPostgresError: the embedded server cannot run; the text says why.
    """
    if settings.database_url is not None:
        with _answering(
            settings.database_url.get_secret_value(), settings.database_password_file
        ) as database:
            yield database
        return
    settings.data_folder.mkdir(parents=True, exist_ok=True)
    with (
        watched(
            EmbeddedPostgres(default_folder(settings.data_folder), report=report), report=report
        ) as server,
        _answering(server.url) as database,
    ):
        yield database


@contextmanager
def _answering(url: str, password_file: Path | None = None) -> Iterator[Database]:
    try:
        database = Database(url if password_file is None else _with_password(url, password_file))
    except (ArgumentError, ValueError):  # neither is quoted: it may hold a part of the password
        raise DatabaseUnreachableError(
            "MIXWRIGHT_DATABASE_URL is no database address: write it as "
            "postgresql://user:password@host:port/database"
        ) from None
    try:
        try:
            database.engine.connect().close()
        except OperationalError as error:
            address = database.engine.url.render_as_string(hide_password=True)
            reason = str(error.orig).strip().splitlines()[0] if error.orig else "no answer"
            raise DatabaseUnreachableError(
                f"no database at {address}: {reason}. Start it, or correct MIXWRIGHT_DATABASE_URL"
            ) from None
        yield database
    finally:
        database.close()


def _with_password(url: str, file: Path) -> str:
    try:
        password = file.read_text(encoding="utf-8").strip()
    except (OSError, UnicodeDecodeError) as error:
        raise DatabaseUnreachableError(
            f"MIXWRIGHT_DATABASE_PASSWORD_FILE names {file}, which cannot be read "
            f"({getattr(error, 'strerror', None) or 'it is no text'}): let this account read it"
        ) from None
    return make_url(url).set(password=password).render_as_string(hide_password=False)
