"""Migrations of a database that is full, by several replicas at once; and databases from the future."""

from contextlib import ExitStack
from pathlib import Path

import pytest
from alembic import command
from sqlalchemy import inspect, text

from service import migrate
from service.db import Database
from service.migrate import SchemaTooNewError
from service.settings import Settings
from service.startup import opened
from tests.service.reports import JOB, report
from tests.support.processes import spawned, upgrade
from tests.support.replaying import same_again
from tests.support.servers import Service, running

REPLICAS = 3
OBSERVATIONS = 20_000
OLDEST_WITH_JOBS = "0003"  # further back there is no log of jobs to keep
STUDY = {"name": "trial", "domains": [{"name": "web", "tokens": 5}]}
FILLED = """
    INSERT INTO observations (run_id, target, step, value)
    SELECT proxy_runs.id, 'web', step, 1.0 / (1 + step) FROM proxy_runs, generate_series(1, :rows) step
"""


def columns(database: Database) -> dict[str, list[str]]:
    """The columns of every table of ours."""
    with database.engine.connect() as connection:
        found = inspect(connection)
        ours = [
            name for name in found.get_table_names() if not name.startswith(("procrastinate_", "alembic_"))
        ]
        return {name: [column["name"] for column in found.get_columns(name)] for name in ours}


def contents(database: Database, of: dict[str, list[str]]) -> dict[str, tuple[int, str]]:
    """Rows and a checksum of every table, over some columns."""
    found = {}
    with database.engine.connect() as connection:
        for name, named in of.items():
            row = f"jsonb_build_array({', '.join(named)})::text"
            query = f"SELECT count(*), md5(coalesce(string_agg({row}, '|' ORDER BY {row}), '')) FROM {name}"  # noqa: S608
            rows, checksum = connection.execute(text(query)).one()
            found[name] = rows, checksum
    return found


def fill(service: Service) -> None:
    service.client.create_study(STUDY)
    run = {"name": "first", "weights": {"web": 1.0}, "losses": {"web": 3.0}}
    service.client.import_runs("trial", [run])
    service.client.create_job(JOB)
    for step in range(9, 200, 10):
        service.client.call("POST", "/v1/jobs/run-7b/reports", body=report(step))
    with service.database.session() as session:
        session.execute(text(FILLED), {"rows": OBSERVATIONS})


def test_case_45_of_replicas_that_start_together_one_migrates_and_no_row_is_lost(
    database: Database, tmp_path: Path
) -> None:
    with running(database, tmp_path, tasks_inside=False) as service:
        fill(service)
    config = migrate._config()
    with database.engine.begin() as connection:
        config.attributes["connection"] = connection
        command.downgrade(config, OLDEST_WITH_JOBS)
    older = columns(database)
    before = contents(database, older)
    assert before["observations"][0] > OBSERVATIONS
    with ExitStack() as replicas:
        starting = [replicas.enter_context(spawned(upgrade, database.url)) for _ in range(REPLICAS)]
        for _, told in starting:
            assert told.poll(60)
        made = [told.recv() for _, told in starting]
    assert sorted(map(bool, made)) == [False] * (REPLICAS - 1) + [True], "not one of them, and no other"
    assert migrate.current(database.engine) == migrate.newest()
    assert contents(database, older) == before
    with running(database, tmp_path, tasks_inside=False) as service:
        service.client.call("POST", "/v1/jobs/run-7b/reports", body=report(209))
        same_again(service, "run-7b")


def test_case_45_a_database_of_a_newer_version_is_refused_and_left_alone(database: Database) -> None:
    with database.session() as session:
        session.execute(text("UPDATE alembic_version SET version_num = '9999_of_next_year'"))
    before = contents(database, columns(database))
    settings = Settings(database_url=database.url)
    advice = r"9999_of_next_year, which this version does not know: install the version that migrated it"
    with pytest.raises(SchemaTooNewError, match=advice), opened(settings):
        pass
    assert migrate.current(database.engine) == "9999_of_next_year"
    assert contents(database, columns(database)) == before
