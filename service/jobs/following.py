"""Long polls and event streams: answers that wait."""

import logging
import random
from collections.abc import Awaitable, Callable
from contextlib import AbstractContextManager
from uuid import UUID

from starlette.types import Receive, Scope, Send

from service.errors import ServiceError, UnauthorisedError, UnavailableError
from service.jobs.board import Board
from service.jobs.notices import Entry
from service.jobs.waiting import DisconnectedError, Waiter
from service.presence import Held
from service.problem_details import DATABASE_AWAY
from service.stored_answers import STRICT

_log = logging.getLogger("service.jobs")

Watch = AbstractContextManager[Held]

COMMENT_SECONDS = 15.0  # between signs of life on an event stream
ALIVE = b": alive\n\n"
# When who was let go comes back: not all at the same moment.
_RETURN_SECONDS = (1.0, 5.0)

_STREAM_START = {
    "type": "http.response.start",
    "status": 200,
    "headers": [
        (b"content-type", b"text/event-stream; charset=utf-8"),
        (b"cache-control", b"no-cache"),
        (b"x-accel-buffering", b"no"),
        *STRICT,
    ],
}


class LongPoll:
    """The next schedule as soon as there is one, or 304 when the time is over; an ASGI application.

    Args:
        board: where schedules are.
        project_id: whose job it is.
        job: its name.
        held: ETag of the schedule that the client holds.
        seconds: how long it waits at most.
        watch: over whoever asks.
    """

    def __init__(
        self, board: Board, project_id: UUID, job: str, held: str, seconds: float, watch: Watch
    ) -> None:
        self._board, self._project_id, self._job = board, project_id, job
        self._held, self._seconds, self._watch = held, seconds, watch

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Wait and answer.

        Raises:
            UnavailableError: the process ends, or too many wait already.
            UnauthorisedError: the caller's key ended meanwhile.
        """
        waiter = Waiter(receive, self._seconds)
        scope["waits"] = "poll"
        try:
            with self._watch as caller:
                caller.on_end = waiter.end
                entry = await self._board.changed(self._project_id, self._job, self._held, waiter)
        except DisconnectedError:
            scope["left"] = True
            return
        if not caller.allowed:
            raise UnauthorisedError("this key was revoked or expired while you waited: use another")
        if entry is None and self._board.closing.is_set():
            raise UnavailableError(
                "this process ends: ask again, another answers",
                code="ending",
                retry_seconds=_return_seconds(),
            )
        answer = (
            (await self._board.get(self._project_id, self._job)).unchanged if entry is None else entry.full
        )
        await answer(scope, receive, send)


async def _alive() -> bytes:
    return ALIVE


class EventStream:
    """An event for every new schedule, and a comment now and then; an ASGI application.

    Args:
        board: where schedules are.
        project_id: whose job it is.
        job: its name.
        seen: ETag of the schedule that the client has seen last.
        watch: over whoever listens.
        event: what is sent of a schedule.
        pause: seconds without a new one, after which something else is sent.
        quiet: tells what; it may be nothing.
    """

    def __init__(
        self,
        board: Board,
        project_id: UUID,
        job: str,
        seen: str | None,
        watch: Watch,
        *,
        event: Callable[[Entry], bytes] = lambda entry: entry.event,
        pause: float = COMMENT_SECONDS,
        quiet: Callable[[], Awaitable[bytes]] = _alive,
    ) -> None:
        self._board, self._project_id, self._job = board, project_id, job
        self._seen, self._watch, self._event = seen, watch, event
        self._pause, self._quiet = pause, quiet

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Send until the client leaves, its key ends, the job is gone, or the process ends.

        Raises:
            UnavailableError: too many wait already.
        """
        scope["waits"] = "stream"
        await self._board.get(self._project_id, self._job)  # a missing job is a 404 and no empty stream
        self._board.require_room()
        await send(_STREAM_START)
        await _send(send, b"retry: %d\n\n" % _return_milliseconds())
        seen = self._seen
        try:
            with self._watch as caller:
                while caller.allowed and not self._board.closing.is_set():
                    waiter = Waiter(receive, self._pause)
                    caller.on_end = waiter.end
                    entry = await self._board.changed(self._project_id, self._job, seen, waiter)
                    if entry is not None:
                        seen = entry.etag
                    told = await self._quiet() if entry is None else self._event(entry)
                    if told:
                        await _send(send, told)
        except DisconnectedError:
            scope["left"] = True
            return
        except (ServiceError, *DATABASE_AWAY) as error:
            _log.info("a stream of job %r ends: %s", self._job, error)
        # Spread over some seconds: clients of a process that ends must not come back as one.
        await _send(send, b": closing\nretry: %d\n\n" % _return_milliseconds(), more=False)


async def _send(send: Send, text: bytes, *, more: bool = True) -> None:
    await send({"type": "http.response.body", "body": text, "more_body": more})


def _return_milliseconds() -> int:
    return int(1000 * _return_seconds())


def _return_seconds() -> float:
    return random.uniform(*_RETURN_SECONDS)  # noqa: S311 - it spreads, and hides nothing
