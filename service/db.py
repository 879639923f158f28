"""The database: one engine a process, one session a request, and the only place that commits."""

import json
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import partial
from typing import Annotated, TypeVar

import anyio.from_thread
from fastapi import Depends, Request
from sqlalchemy import create_engine, event
from sqlalchemy.engine import Engine, ExceptionContext, make_url
from sqlalchemy.engine.interfaces import DBAPIConnection
from sqlalchemy.exc import DBAPIError
from sqlalchemy.orm import Session, sessionmaker
from sqlalchemy.pool import ConnectionPoolEntry

from service.fail_points import reach
from service.limits import quotas
from service.repeating import TRIES
from service.transactions import Tries, TryAgainError, committing, outcome_unknown, repeated, sqlstate

T = TypeVar("T")

POOL_SIZE = 10
POOL_SECONDS = 10.0  # a request that waits longer for a connection is better refused than hung
STATEMENT_SECONDS = 20.0  # no query of the API is meant to take a second
LOCK_SECONDS = 10.0
# No room, a disk that fails, a server that takes no writes, a right that was taken away.
WRITES_REFUSED = frozenset({"53100", "58030", "25006", "42501"})
REFUSED_SECONDS = 15.0  # for so long after such an error somebody else had better take the writes
_SAFE_METHODS = frozenset({"GET", "HEAD", "OPTIONS"})
_EXACT_DIGITS = 16  # of the largest integer that is kept exactly


class Database:
    """An engine and its sessions.

    Args:
        url: as postgresql://user:password@host/database.
        connections: how many are kept open; as many again are opened for a rush.

    Raises:
        ArgumentError: it is no address.
        ValueError: it is not the address of a PostgreSQL database.
    """

    def __init__(self, url: str, *, connections: int = POOL_SIZE) -> None:
        self.url = url
        self.engine = _engine(url, connections)
        self._sessions = sessionmaker(self.engine, expire_on_commit=False)
        self._refused_at: float | None = None
        event.listen(self.engine, "handle_error", self._note)

    @property
    def conninfo(self) -> str:
        """The address as libpq reads it, for tools that do not use SQLAlchemy."""
        return make_url(self.url).set(drivername="postgresql").render_as_string(hide_password=False)

    @contextmanager
    def session(self) -> Iterator[Session]:
        """A session whose work is committed at the end, or rolled back if the block raises."""
        with self._sessions() as session:
            try:
                yield session
                session.flush()
                committing(session)
                session.commit()
            except BaseException:
                session.rollback()
                raise

    def transact(self, work: Callable[[Session], T]) -> T:
        """Do work in a session of its own; again if another transaction or a lost connection ended it.

        Args:
            work: harmless to repeat, even if it was committed.
        """

        def tried() -> T:
            with self.session() as session:
                return work(session)

        return repeated(tried, time.sleep)

    @property
    def refuses_writes(self) -> bool:
        """Whether a write was refused a moment ago, such as for want of room on its disk."""
        return self._refused_at is not None and time.monotonic() - self._refused_at < REFUSED_SECONDS

    def close(self) -> None:
        """Close all connections; those that a thread still uses, once it gives them back."""
        used = self.engine.pool
        self.engine.dispose()  # of the pool that there was: another takes its place
        event.listen(used, "checkin", _invalidated)
        used.dispose()  # what came back in between

    def _note(self, context: ExceptionContext) -> None:
        if sqlstate(context.original_exception) in WRITES_REFUSED:
            self._refused_at = time.monotonic()


def _invalidated(_: DBAPIConnection | None, entry: ConnectionPoolEntry) -> None:
    entry.invalidate()


def _engine(url: str, connections: int) -> Engine:
    address = make_url(url)
    if address.get_backend_name() not in {"postgresql", "postgres"}:
        raise ValueError(f"{address.drivername} is no PostgreSQL: only that is supported")
    address = address.set(drivername="postgresql+psycopg")
    limits = {"statement_timeout": STATEMENT_SECONDS, "lock_timeout": LOCK_SECONDS}
    options = " ".join(f"-c {name}={round(1000 * seconds)}" for name, seconds in limits.items())
    return create_engine(
        address,
        pool_size=connections,
        max_overflow=connections,
        pool_timeout=POOL_SECONDS,
        pool_pre_ping=True,
        hide_parameters=True,  # an error is logged with its statement, which may carry what callers sent
        json_deserializer=partial(json.loads, parse_int=_number),
        connect_args={"options": options, "connect_timeout": 5},
    )


def _number(digits: str) -> int | float:
    """A number of a JSON document: PostgreSQL writes a large float as if it were an integer."""
    return int(digits) if len(digits) <= _EXACT_DIGITS else float(digits)


def undo(session: Session) -> None:
    """Take back all that was written, for a request that only tries something out."""
    session.rollback()
    session.info.pop("announced", None)
    session.info["undone"] = True


def undone(session: Session) -> bool:
    """Whether a request took back all that it wrote."""
    return bool(session.info.get("undone"))


def _request_session(request: Request) -> Iterator[Session]:
    database: Database = request.app.state.database
    tries: Tries = request.scope[TRIES]
    writes = request.method not in _SAFE_METHODS
    session: Session | None = None
    try:
        with database.session() as session:
            quotas.hold(session, request.app.state.settings.quotas)
            yield session
            announced = session.info.get("announced")
            if writes:
                reach("before_commit")
    except DBAPIError as error:
        doubtful = writes and session is not None and outcome_unknown(session)
        pause = tries.pause(error, repeatable=not doubtful)
        if pause is None:
            raise
        raise TryAgainError(pause) from error
    if writes:
        reach("after_commit")
    if announced:
        anyio.from_thread.run_sync(request.app.state.board.published, announced)


# Scope "function": the commit happens before the answer is sent, so that a failed commit is an error the
# client sees. The default scope commits after the client was told of success.
SessionDep = Annotated[Session, Depends(_request_session, scope="function")]
