"""Queueing of background work in the transaction that makes its row: one exists exactly if the other does."""

from uuid import UUID

from procrastinate import App, SyncPsycopgConnector
from sqlalchemy.orm import Session

# Deferring uses the caller's own connection, so this app never opens one, and names its tasks only.
_deferring = App(connector=SyncPsycopgConnector())


def defer(session: Session, kind: str, row_id: UUID, *, after_seconds: float = 0.0) -> None:
    """Queue the task of a row of some kind, to be begun now or later."""
    connection = session.connection().connection.dbapi_connection
    later = {"seconds": after_seconds} if after_seconds else None
    task = _deferring.configure_task(task_name(kind), connection=connection, schedule_in=later)
    task.defer(row_id=str(row_id))


def task_name(kind: str) -> str:
    """What the queue calls the tasks of a kind."""
    return f"mixwright:{kind}"
