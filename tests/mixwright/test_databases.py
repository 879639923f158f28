"""`mixwright db`, and what every command says of a database that it cannot use."""

import socket
from collections.abc import Iterator
from pathlib import Path

import pytest
from sqlalchemy import make_url, text

from service import migrate
from service.db import Database
from tests.mixwright.commands import Command
from tests.support.databases import empty_database

PASSWORD = "a-password-that-must-not-show"


@pytest.fixture
def silent_port() -> Iterator[int]:
    """A port that is taken and refuses every connection."""
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        yield taken.getsockname()[1]


@pytest.mark.parametrize(
    "words",
    [
        "serve --port 0",
        "worker --tasks",
        "db upgrade",
        "db current",
        "db backup copy",
        "db restore copy",
        "db restored",
        "key list",
        "key create me",
        "key revoke {id}",
    ],
)
def test_a_database_that_does_not_answer_is_told_in_one_line(
    command: Command, silent_port: int, words: str
) -> None:
    url = f"postgresql://someone:{PASSWORD}@127.0.0.1:{silent_port}/nowhere"
    arguments = words.format(id="0" * 32).split()
    refused = command(*arguments, MIXWRIGHT_DATABASE_URL=url)
    assert refused.code == 1
    assert f"no database at postgresql+psycopg://someone:***@127.0.0.1:{silent_port}" in refused.sentence
    assert "Start it, or correct MIXWRIGHT_DATABASE_URL" in refused.sentence
    assert refused.err.count("\n") == 1
    assert PASSWORD not in refused.err + refused.out


def test_an_address_that_is_none_is_told_with_the_variable(command: Command) -> None:
    refused = command("db", "current", MIXWRIGHT_DATABASE_URL=f"sesame:{PASSWORD}")
    assert "MIXWRIGHT_DATABASE_URL is no database address" in refused.sentence
    assert PASSWORD not in refused.err


def test_a_database_that_does_not_exist_is_told_by_name(command: Command, postgres_url: str) -> None:
    url = make_url(postgres_url).set(database="nowhere").render_as_string(hide_password=False)
    refused = command("db", "current", MIXWRIGHT_DATABASE_URL=url)
    assert 'database "nowhere" does not exist' in refused.sentence


def test_an_empty_database_is_brought_up_to_date_once(command: Command, postgres_url: str) -> None:
    url = empty_database(postgres_url)
    newest = migrate.newest()
    assert command("db", "current", MIXWRIGHT_DATABASE_URL=url).out == f"at revision none, needs {newest}\n"
    for _ in range(2):
        upgraded = command("db", "upgrade", MIXWRIGHT_DATABASE_URL=url)
        assert (upgraded.code, upgraded.out) == (0, f"at revision {newest}\n")
    shown = command("db", "current", MIXWRIGHT_DATABASE_URL=url)
    assert shown.out == f"at revision {newest}, needs {newest}\n"


def test_a_database_of_a_newer_version_is_left_alone(command: Command, database: Database) -> None:
    with database.session() as session:
        session.execute(text("UPDATE alembic_version SET version_num = '9999'"))
    refused = command("db", "upgrade", MIXWRIGHT_DATABASE_URL=database.conninfo)
    assert "at revision 9999, which this version does not know: install the version" in refused.sentence
    assert migrate.current(database.engine) == "9999"


def projects(database: Database) -> set[str]:
    with database.session() as session:
        return set(session.scalars(text("SELECT name FROM projects")))


def add(database: Database, project: str) -> None:
    with database.session() as session:
        query = text("INSERT INTO projects (id, name) VALUES (gen_random_uuid(), :name)")
        session.execute(query, {"name": project})


def test_a_backup_brings_the_database_back_and_shows_how_far_it_is(
    command: Command, database: Database, home: Path, postgres_url: str
) -> None:
    url, file = database.conninfo, home / "copy"
    add(database, "before")
    made = command("db", "backup", str(file), MIXWRIGHT_DATABASE_URL=url)
    assert (made.code, "table projects" in made.err) == (0, True)
    assert file.stat().st_mode & 0o777 == 0o600
    add(database, "after")
    database.close()
    kept = command("db", "restore", str(file), MIXWRIGHT_DATABASE_URL=url)
    assert "is not empty" in kept.sentence
    assert "pass --force" in kept.sentence
    assert projects(database) == {"before", "after"}
    database.close()
    restored = command("db", "restore", str(file), "--force", MIXWRIGHT_DATABASE_URL=url)
    assert (restored.code, "table projects" in restored.err) == (0, True), restored.err
    assert projects(database) == {"before"}
    elsewhere = Database(empty_database(postgres_url))
    assert command("db", "restore", str(file), MIXWRIGHT_DATABASE_URL=elsewhere.conninfo).code == 0
    assert projects(elsewhere) == {"before"}
    elsewhere.close()
    assert command("db", "restored", MIXWRIGHT_DATABASE_URL=url).out.startswith("0 jobs publish")


def test_what_is_no_whole_backup_changes_nothing(command: Command, database: Database, home: Path) -> None:
    url, file = database.conninfo, home / "copy"
    add(database, "before")
    command("db", "backup", str(file), MIXWRIGHT_DATABASE_URL=url)
    again = command("db", "backup", str(file), MIXWRIGHT_DATABASE_URL=url)
    assert "exists already" in again.sentence
    database.close()
    whole = file.read_bytes()
    for bad in (b"", b"no backup", whole[: len(whole) // 2], whole[:-2000]):
        file.write_bytes(bad)
        refused = command("db", "restore", str(file), "--force", MIXWRIGHT_DATABASE_URL=url)
        assert refused.code == 1, refused.out
        assert str(file) in refused.sentence or "nothing was restored" in refused.sentence
        assert projects(database) == {"before"}
        database.close()
    file.write_bytes(whole)
    with database.engine.connect():
        refused = command("db", "restore", str(file), "--force", MIXWRIGHT_DATABASE_URL=url)
        assert "1 other sessions use the database: stop the service" in refused.sentence
    missing = command("db", "restore", str(home / "nothing"), MIXWRIGHT_DATABASE_URL=url)
    assert "is no file" in missing.sentence
