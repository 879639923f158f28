"""Queueing of background work in the transaction that makes its row: one exists exactly if the other does."""

from uuid import UUID

import psycopg
from procrastinate import App, SyncPsycopgConnector
from procrastinate.exceptions import ConnectorException
from sqlalchemy.exc import DBAPIError
from sqlalchemy.orm import Session

# Deferring uses the caller's own connection, so this app never opens one, and names its tasks only.
_deferring = App(connector=SyncPsycopgConnector())


def defer(session: Session, kind: str, row_id: UUID, *, after_seconds: float = 0.0) -> None:
    """Queue the task of a row of some kind, to be begun now or later.

    Raises:
        DBAPIError: the database refused it, as it refuses a statement of the session itself.
    """
    connection = session.connection()
    later = {"seconds": after_seconds} if after_seconds else None
    task = _deferring.configure_task(
        task_name(kind), connection=connection.connection.dbapi_connection, schedule_in=later
    )
    try:
        task.defer(row_id=str(row_id))
    except ConnectorException as error:
        if not isinstance(error.__cause__, psycopg.Error):
            raise
        raise DBAPIError.instance(
            f"defer {kind}", None, error.__cause__, psycopg.Error, hide_parameters=True,
            dialect=connection.dialect,
        ) from error  # fmt: skip


def task_name(kind: str) -> str:
    """What the queue calls the tasks of a kind."""
    return f"mixwright:{kind}"
