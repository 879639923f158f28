"""What a worker makes of a row that it holds: each function is one step, in a transaction of its own."""

from typing import Any
from uuid import UUID, uuid4

from sqlalchemy.orm import Session

from service.clock_repository import now
from service.models import TaskState
from service.tasks import repository
from service.tasks.kinds import KINDS
from service.tasks.repository import Row


def begin(session: Session, row: Row) -> UUID:
    """Have a row run under a new lease: whoever had it before has lost it."""
    lease = uuid4()
    row.state, row.lease, row.started_at = TaskState.RUNNING, lease, now(session)
    row.tries += 1
    row.stage, row.progress = "starting", 0.0
    return lease


def succeed(session: Session, kind: str, row: Row, *, result: dict[str, Any]) -> None:
    """Keep the result of a row."""
    row.progress, row.error, row.error_code = 1.0, None, None
    _end(session, row, TaskState.DONE)
    KINDS[kind].end(session, row, result, None)


def fail(session: Session, kind: str, row: Row, *, code: str, words: str) -> None:
    """Park a row: it is not tried again by itself."""
    mark_failed(session, kind, row, code=code, words=words)
    KINDS[kind].end(session, row, None, words)


def mark_failed(session: Session, _: str, row: Row, *, code: str, words: str) -> None:
    """The same, without anything that may fail in turn."""
    row.error, row.error_code = words, code
    _end(session, row, TaskState.FAILED)


def _end(session: Session, row: Row, state: TaskState) -> None:
    row.state, row.lease, row.stage, row.finished_at = state, None, "", now(session)
    repository.announce_end(session, row.id)
