"""The way of a database to the schema of this version: from nothing, in a crowd, and from the future."""

import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from threading import Thread

import pytest
from alembic import command
from alembic.autogenerate import compare_metadata
from alembic.migration import MigrationContext
from sqlalchemy import Engine, inspect, text

from service import db, migrate
from service.db import Database
from service.migrate import SchemaTooNewError
from service.models import Base
from service.settings import Settings
from service.startup import opened
from tests.service.embedded_postgres.actors import until
from tests.service.problems import problem_of
from tests.support.databases import empty_database
from tests.support.servers import Service

ROOT = Path(__file__).parents[2]
UPGRADE = (
    "import sys; from service import db, migrate; print(migrate.upgrade(db.Database(sys.argv[1]).engine))"
)


@pytest.fixture
def empty(postgres_url: str) -> Iterator[Database]:
    """A database without tables."""
    database = Database(empty_database(postgres_url))
    yield database
    database.close()


def ours(_object: object, name: str | None, _kind: str, _reflected: bool, _compared: object) -> bool:
    return not (name or "").startswith("procrastinate_")


def differences(engine: Engine) -> list[object]:
    """What alembic would change to make the database what the models declare."""
    with engine.connect() as connection:
        options = {"include_object": ours, "compare_type": True, "compare_server_default": True}
        return list(compare_metadata(MigrationContext.configure(connection, opts=options), Base.metadata))


def counted(engine: Engine, query: str) -> int:
    with engine.connect() as connection:
        return int(connection.scalar(text(query)) or 0)


def test_from_nothing_to_exactly_what_the_models_declare(empty: Database) -> None:
    assert migrate.current(empty.engine) is None
    assert migrate.upgrade(empty.engine) == migrate.newest() == migrate.current(empty.engine)
    assert differences(empty.engine) == []
    found = inspect(empty.engine)
    tables = {name for name in found.get_table_names() if not name.startswith("procrastinate_")}
    assert tables == {*Base.metadata.tables, "alembic_version"}
    for name, table in Base.metadata.tables.items():
        # Autogenerate does not see these.
        declared = {c.name for c in table.constraints if type(c).__name__ == "CheckConstraint"}
        assert {check["name"] for check in found.get_check_constraints(name)} == declared, name


def test_an_upgrade_of_what_is_new_enough_changes_nothing(database: Database) -> None:
    query = "SELECT max(xmin::text::bigint) FROM pg_class"
    before = counted(database.engine, query)
    with database.session() as session:
        session.execute(text("LOCK TABLE alembic_version IN EXCLUSIVE MODE"))
        assert migrate.upgrade(database.engine) == migrate.newest(), "it waits for nobody"
    assert counted(database.engine, query) == before


def test_processes_that_start_together_all_find_the_new_schema(empty: Database) -> None:
    starting = [
        subprocess.Popen(
            [sys.executable, "-c", UPGRADE, empty.url], cwd=ROOT, stdout=subprocess.PIPE, text=True
        )
        for _ in range(2)
    ]
    told = [process.communicate()[0].strip() for process in starting]
    assert [process.returncode for process in starting] == [0, 0]
    assert told == [migrate.newest()] * 2
    assert differences(empty.engine) == []


def test_a_process_waits_for_a_migration_longer_than_a_request_would(
    empty: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(db, "LOCK_SECONDS", 1)
    monkeypatch.setattr(db, "STATEMENT_SECONDS", 1)
    impatient = Database(empty.url)
    waiting = (
        "SELECT count(*) FROM pg_stat_activity WHERE wait_event = 'advisory' "
        "AND datname = current_database() AND now() - query_start > interval '1.5 seconds'"
    )
    upgrading = Thread(target=migrate.upgrade, args=(impatient.engine,))
    with empty.engine.begin() as migrating:
        migrating.exec_driver_sql(f"SELECT pg_advisory_xact_lock({migrate._LOCK})")
        upgrading.start()
        until(lambda: counted(empty.engine, waiting) == 1 or not upgrading.is_alive())
        assert upgrading.is_alive(), "it gave up"
    upgrading.join()
    impatient.close()
    assert migrate.current(empty.engine) == migrate.newest()


def test_a_migration_that_fails_leaves_the_old_schema_whole(empty: Database) -> None:
    with empty.session() as session:
        session.execute(text("CREATE TABLE sweeps (in_the_way integer)"))
    with pytest.raises(Exception, match="already exists"):
        migrate.upgrade(empty.engine)
    assert migrate.current(empty.engine) is None
    assert inspect(empty.engine).get_table_names() == ["sweeps"]
    with empty.session() as session:
        session.execute(text("DROP TABLE sweeps"))
    assert migrate.upgrade(empty.engine) == migrate.newest()


def test_every_revision_can_be_undone(empty: Database) -> None:
    migrate.upgrade(empty.engine)
    config = migrate._config()
    with empty.engine.begin() as connection:
        config.attributes["connection"] = connection
        command.downgrade(config, "base")
    assert inspect(empty.engine).get_table_names() == ["alembic_version"]
    left = "SELECT count(*) FROM pg_proc WHERE pronamespace = 'public'::regnamespace"
    assert counted(empty.engine, left) == 0
    migrate.upgrade(empty.engine)
    assert differences(empty.engine) == []


def from_the_future(database: Database) -> None:
    with database.session() as session:
        session.execute(text("UPDATE alembic_version SET version_num = '9999_of_next_year'"))


def test_a_database_of_a_newer_version_is_refused_and_left_alone(database: Database) -> None:
    from_the_future(database)
    settings = Settings(database_url=database.url)
    advice = r"9999_of_next_year, which this version does not know: install the version that migrated it"
    with pytest.raises(SchemaTooNewError, match=advice), opened(settings):
        pass
    assert migrate.current(database.engine) == "9999_of_next_year"
    assert differences(database.engine) == []


def test_a_service_on_another_schema_says_that_it_is_not_ready(service: Service) -> None:
    with service.http() as http:
        assert http.get("/readyz").json() == {"status": "ok"}
        from_the_future(service.database)
        problem_of(http.get("/readyz"), 503, "9999_of_next_year", "mixwright db upgrade")
        assert http.get("/livez").status_code == 200
