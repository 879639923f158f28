"""Queueing of background work in the transaction that makes its row: one exists exactly if the other does."""

from uuid import UUID

from procrastinate import App, SyncPsycopgConnector
from sqlalchemy.orm import Session

# Deferring uses the caller's own connection, so this app never opens one, and names its tasks only.
_deferring = App(connector=SyncPsycopgConnector())


def defer(session: Session, task: str, row_id: UUID) -> None:
    """Queue the task of a row."""
    connection = session.connection().connection.dbapi_connection
    _deferring.configure_task(task, connection=connection).defer(row_id=str(row_id))
