"""Asking for background work, asking again, and letting it go: in the transaction of whoever asks."""

from sqlalchemy.orm import Session

from service.clock_repository import now
from service.deferring import defer
from service.errors import ConflictError
from service.models import TaskState
from service.tasks import repository
from service.tasks.repository import Row


def queue_again(
    session: Session, kind: str, row: Row, *, after_seconds: float = 0.0, counted: bool = True
) -> None:
    """Queue a row for another try.

    Args:
        session: of the caller.
        kind: kind of the row.
        row: the row, locked.
        after_seconds: how long to wait before it.
        counted: whether the try that ended counts; one that was handed back does not.
    """
    row.state, row.lease, row.stage, row.progress = TaskState.QUEUED, None, "", 0.0
    if not counted:
        row.tries = max(row.tries - 1, 0)
    defer(session, kind, row.id, after_seconds=after_seconds)


def ask_anew(session: Session, kind: str, row: Row) -> bool:
    """Queue a row that failed or was cancelled as if it had never been tried; False if it is neither."""
    if row.state not in {TaskState.FAILED, TaskState.CANCELLED}:
        return False
    row.error = row.error_code = row.finished_at = None
    row.tries, row.asked_at = 0, now(session)
    queue_again(session, kind, row)
    session.flush()
    return True


def cancel(session: Session, row: Row) -> None:
    """Let a row go: its worker sees it within a second or two and stops the computation.

    Raises:
        ConflictError: it is done, or failed.
    """
    if row.state is TaskState.CANCELLED:
        return
    if row.state.ended:
        raise ConflictError(
            f"it is {row.state.value} already: there is nothing left to cancel", code="task_ended"
        )
    row.state, row.lease, row.stage, row.finished_at = TaskState.CANCELLED, None, "", now(session)
    row.error = row.error_code = None
    session.flush()
    repository.announce_end(session, row.id)
