"""A database that takes no writes, or forbids some: these wait, and what can be read is read."""

from collections.abc import Iterator
from pathlib import Path
from uuid import uuid4

import psycopg
import pytest
from psycopg import sql
from sqlalchemy.engine import make_url

from service.db import Database
from tests.service.problems import problem_of
from tests.support.servers import Service, running

STUDY = {"name": "trial", "domains": [{"name": "web", "tokens": 5}]}


def test_case_39_a_database_that_takes_no_writes_still_answers_reads(
    service: Service, postgres_url: str
) -> None:
    # As after a failover, when the server is a standby for a while.
    name = sql.Identifier(str(service.database.engine.url.database))
    setting = sql.SQL("ALTER DATABASE {} SET default_transaction_read_only = {}")
    with psycopg.connect(postgres_url, autocommit=True) as connection:
        connection.execute(setting.format(name, sql.SQL("on")))
        service.database.engine.dispose()
        refused = service.call("POST", "/v1/studies", STUDY)
        problem_of(refused, 503, "takes no writes", code="database_read_only")
        assert int(refused.headers["Retry-After"]) > 0
        assert service.client.studies() == []
        problem_of(service.call("GET", "/readyz"), 503, "refused a write")
        connection.execute(setting.format(name, sql.SQL("off")))
    service.database.engine.dispose()
    assert service.call("POST", "/v1/studies", STUDY).status_code == 201


@pytest.fixture
def limited(database: Database) -> Iterator[Database]:
    """The database, for a role that owns nothing in it."""
    role = f"limited_{uuid4().hex}"
    with psycopg.connect(database.conninfo, autocommit=True) as owner:
        owner.execute(f"CREATE ROLE {role} LOGIN PASSWORD 'open'")
        owner.execute(f"GRANT ALL ON ALL TABLES IN SCHEMA public TO {role}")
        owner.execute(f"GRANT ALL ON ALL SEQUENCES IN SCHEMA public TO {role}")
        url = make_url(database.url).set(username=role, password="open")
        as_role = Database(url.render_as_string(hide_password=False))
        yield as_role
        as_role.close()
        owner.execute(f"DROP OWNED BY {role}")
        owner.execute(f"DROP ROLE {role}")


def test_case_39_a_permission_that_was_taken_away_refuses_writes_until_it_is_granted_again(
    database: Database, limited: Database, tmp_path: Path
) -> None:
    role = limited.engine.url.username
    with (
        running(limited, tmp_path, tasks_inside=False) as service,
        psycopg.connect(database.conninfo, autocommit=True) as owner,
    ):
        owner.execute(f"REVOKE INSERT ON studies FROM {role}")
        refused = service.call("POST", "/v1/studies", STUDY)
        problem_of(refused, 503, "lacks a permission", code="database_forbids")
        assert int(refused.headers["Retry-After"]) > 0
        assert "studies" not in refused.json()["detail"]
        assert service.client.studies() == []
        owner.execute(f"GRANT INSERT ON studies TO {role}")
        assert service.call("POST", "/v1/studies", STUDY).status_code == 201
