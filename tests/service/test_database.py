"""Connections of a database, from the first to the last."""

import psycopg
from sqlalchemy import text

from service.db import Database
from tests.service.embedded_postgres.actors import until

CONNECTIONS = "SELECT count(*) FROM pg_stat_activity WHERE datname = current_database()"


def test_a_connection_that_is_in_use_when_all_are_closed_is_closed_once_it_is_given_back(
    database: Database,
) -> None:
    with psycopg.connect(database.conninfo, autocommit=True) as other:
        with database.session() as session:
            session.execute(text("SELECT 1"))
            database.close()
            assert session.scalar(text("SELECT 2")) == 2
        until(lambda: other.execute(CONNECTIONS).fetchone() == (1,))
        with database.session() as session:
            assert session.scalar(text("SELECT 3")) == 3, "it opens again when it is asked"
