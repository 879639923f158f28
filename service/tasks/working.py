"""One task: a row is taken through running to its end, whatever happens to its child or to the database."""

import logging
from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from typing import Any, TypeVar
from uuid import UUID

from procrastinate import JobContext
from sqlalchemy.orm import Session

from mixlaws.errors import MixlawsError
from service.compute.child import (
    AbandonedComputationError,
    Children,
    ComputationError,
    InterruptedComputationError,
)
from service.db import Database
from service.errors import ServiceError
from service.models import TaskState
from service.problem_details import DATABASE_AWAY
from service.refusals import code_of
from service.settings import Settings
from service.tasks import asking, repository, transitions
from service.tasks.kinds import KINDS
from service.tasks.repository import Row

T = TypeVar("T")
_log = logging.getLogger("service.tasks")

# Five minutes: a database that stays away longer is an outage, after which the row is found again.
_PAUSES = (0.2, 0.5, 1.0, 2.0, *(5.0,) * 60)
_UNEXPECTED = "an unexpected error, which is in the log of the service: ask for it again, or report it"


@dataclass(frozen=True)
class Workplace:
    """What a task works with."""

    database: Database
    settings: Settings
    children: Children


@dataclass(frozen=True)
class _Failure:
    code: str
    words: str
    passing: bool = False


def work(kind: str, context: JobContext, *, row_id: str) -> None:
    """Work on a row; no transaction is open while the child computes, and nothing is raised for it."""
    Work(context.additional_context["workplace"], kind, UUID(row_id)).do()


@dataclass(frozen=True)
class Work:
    """Work on one row.

    Args:
        place: what to work with.
        kind: kind of the row.
        row_id: which row.
    """

    place: Workplace
    kind: str
    row_id: UUID

    def do(self) -> None:
        """Take the row to its end, or queue it for another try."""
        lease = self._patiently(self._begin)
        if lease is None:
            return
        try:
            result = self._computed(lease)
        except InterruptedComputationError:
            self._write(lease, partial(asking.queue_again, counted=False))
        except AbandonedComputationError:
            _log.info("%s %s is not wanted any more", self.kind, self.row_id)
        except Exception as raised:  # noqa: BLE001 - whatever it was, the row must not stay running
            self._failed(lease, _told(raised))
        else:
            try:
                self._write(lease, partial(transitions.succeed, result=result))
            except Exception as raised:  # noqa: BLE001 - a result that cannot be stored is a failure too
                self._failed(lease, _told(raised))

    def _begin(self) -> UUID | None:
        with self.place.database.session() as session:
            row = KINDS[self.kind].find(session, self.row_id)
            if row is None or row.state.ended:
                return None
            if row.tries >= self.place.settings.task_tries:
                words = (
                    f"given up: {row.tries} workers ended while they had it, most often for lack of memory: "
                    "use fewer runs or a simpler method, or ask for it again"
                )
                transitions.fail(session, self.kind, row, code="worker_lost", words=words)
                return None
            return transitions.begin(session, row)

    def _computed(self, lease: UUID) -> dict[str, Any]:
        def read() -> dict[str, Any]:
            with self.place.database.session() as session:
                row = KINDS[self.kind].find(session, self.row_id)
                if row is None or row.lease != lease:
                    raise AbandonedComputationError("it is gone")
                return KINDS[self.kind].task_input(session, row)

        settings = self.place.settings
        return self.place.children.compute(
            self.kind,
            self._patiently(read),
            seconds=settings.task_seconds,
            memory_bytes=settings.task_memory_bytes,
            watch=_Watch(self, lease).goes_on,
        )

    def _failed(self, lease: UUID, failure: _Failure) -> None:
        _log.warning("%s %s failed: %s", self.kind, self.row_id, failure.words)
        settings = self.place.settings

        def park(session: Session, kind: str, row: Row) -> None:
            if failure.passing and row.tries < settings.task_tries:
                row.error, row.error_code = failure.words, failure.code
                pause = settings.task_retry_seconds * 2 ** (row.tries - 1)
                asking.queue_again(session, kind, row, after_seconds=pause)
                return
            tried = f"given up after {row.tries} tries: " if failure.passing else ""
            transitions.fail(session, kind, row, code=failure.code, words=tried + failure.words)

        try:
            self._write(lease, park)
        except DATABASE_AWAY:
            raise
        except Exception:  # noqa: BLE001 - such as a job that takes no result any more
            _log.exception("the end of %s %s could not be told", self.kind, self.row_id)
            mark = partial(transitions.mark_failed, code="unexpected", words=_UNEXPECTED)
            self._write(lease, mark)

    def _write(self, lease: UUID, step: Callable[[Session, str, Row], None]) -> None:
        """Change the row, unless it was lost: cancelled, or taken over by another worker."""

        def write() -> None:
            with self.place.database.session() as session:
                row = KINDS[self.kind].find(session, self.row_id)
                if row is not None and row.lease == lease and row.state is TaskState.RUNNING:
                    step(session, self.kind, row)

        self._patiently(write)

    def _patiently(self, do: Callable[[], T]) -> T:
        """Do something once the database answers. Where it stays away the row is found again afterwards."""
        for pause in _PAUSES:
            try:
                return do()
            except DATABASE_AWAY:
                _log.warning("the database is away: %s %s waits for it", self.kind, self.row_id)
                if self.place.children.stopping.wait(pause):
                    raise
        return do()


class _Watch:
    """Stores how far a computation is, and says whether it is wanted still."""

    def __init__(self, work: Work, lease: UUID) -> None:
        self._work = work
        self._lease = lease
        self._stored = ("starting", 0.0)

    def goes_on(self, stage: str, share: float) -> bool:
        kind, row_id = self._work.kind, self._work.row_id
        try:
            with self._work.place.database.session() as session:
                if (stage, share) == self._stored:
                    return repository.still_held(session, kind, row_id, self._lease)
                self._stored = stage, share
                return repository.tell_progress(session, kind, row_id, self._lease, stage, share)
        except DATABASE_AWAY:
            return True  # nobody can have cancelled it


def _told(raised: Exception) -> _Failure:
    if isinstance(raised, ComputationError):
        return _Failure(raised.code, str(raised), raised.passing)
    if isinstance(raised, (ServiceError, MixlawsError)):
        return _Failure(code_of(raised), str(raised))
    if isinstance(raised, DATABASE_AWAY):
        return _Failure("database_away", "the database did not answer for five minutes", passing=True)
    if isinstance(raised, OSError):
        return _Failure("no_process", f"no process could be started for it: {raised.strerror}", passing=True)
    _log.error("a task failed", exc_info=raised)
    return _Failure("unexpected", _UNEXPECTED)
