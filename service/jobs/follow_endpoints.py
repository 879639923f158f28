"""Endpoints by which trainers follow a schedule: polls, long polls, events. They are answered directly."""

import re
from typing import Annotated
from uuid import UUID

import anyio.to_thread
from fastapi import APIRouter, Header, Request
from fastapi.responses import StreamingResponse
from starlette.types import ASGIApp

from service.callers import Callers
from service.db import Database
from service.errors import ConflictError, NotFoundError, UnavailableError
from service.jobs import restoring
from service.jobs.board import Board
from service.jobs.etags import is_ahead
from service.jobs.following import EventStream, LongPoll, Watch
from service.jobs.schemas import JobName, ScheduleOut
from service.problem_details import errors
from service.routes import Route
from service.scopes import Principal, Scope, needs

router = APIRouter(prefix="/v1/jobs", tags=["jobs"], route_class=Route)

_TEXT = {"type": "string"}
LONGEST_WAIT = 55.0  # seconds; proxies commonly cut idle answers at 60
_PREFER_WAIT = re.compile(r"\bwait=(\d{1,4})\b")


@router.get(
    "/{job}/schedule",
    response_model=ScheduleOut,
    responses={
        304: {"description": "Nothing newer than the version you hold."},
        **errors(NotFoundError, ConflictError, UnavailableError),
    },
)
async def get_schedule(
    job: JobName,
    request: Request,
    caller: Annotated[Principal, needs(Scope.JOBS_FOLLOW)],
    if_none_match: Annotated[str | None, Header(description="ETag of the schedule you hold.")] = None,
    prefer: Annotated[
        str | None,
        Header(description="`wait=25` holds the answer for up to 25 seconds until something is new."),
    ] = None,
) -> ASGIApp:
    """The schedule to follow, or 304 if you hold it already."""
    board: Board = request.app.state.board
    # A proxy that compresses answers makes their ETags weak, and a client sends back what it was given.
    held = (if_none_match or "").strip().removeprefix("W/")
    match = _PREFER_WAIT.search(prefer) if prefer and held else None
    if match is not None:
        known = await board.get(caller.project_id, job, held=held)
        await _check_regress(request, caller.project_id, job, held, known.etag)
        return LongPoll(
            board, caller.project_id, job, held, min(float(match[1]), LONGEST_WAIT), _watch(request, caller)
        )
    entry = await board.get(caller.project_id, job, held=held)
    await _check_regress(request, caller.project_id, job, held, entry.etag)
    return entry.unchanged if entry.etag == held else entry.full


@router.get(
    "/{job}/schedule/events",
    response_class=StreamingResponse,
    response_model=None,
    responses={
        200: {"description": "One event a version.", "content": {"text/event-stream": {"schema": _TEXT}}},
        **errors(NotFoundError, ConflictError, UnavailableError),
    },
)
async def stream_schedule(
    job: JobName,
    request: Request,
    caller: Annotated[Principal, needs(Scope.JOBS_FOLLOW)],
    last_event_id: Annotated[str | None, Header(description="Last event that you saw.")] = None,
) -> ASGIApp:
    """The same schedules as server-sent events, for those who rather listen than poll."""
    if last_event_id:
        known = await request.app.state.board.get(caller.project_id, job, held=last_event_id)
        await _check_regress(request, caller.project_id, job, last_event_id, known.etag)
    return EventStream(
        request.app.state.board, caller.project_id, job, last_event_id, _watch(request, caller)
    )


def _watch(request: Request, caller: Principal) -> Watch:
    callers: Callers = request.app.state.callers
    return callers.presence.held(caller)


async def _check_regress(request: Request, project_id: UUID, name: str, held: str, served: str) -> None:
    """Refuse to go back before what a trainer follows.

    Raises:
        ConflictError: the database is behind the trainer: it was restored to an earlier point.
    """
    if not is_ahead(held, served):
        return
    live: Database = request.app.state.live

    def look() -> bool:
        return live.transact(lambda session: restoring.has_regressed(session, project_id, name, held))

    if await anyio.to_thread.run_sync(look):
        raise ConflictError(
            f"version {held} of job {name!r} is later than any that is known here: the database was restored "
            "to an earlier point. Keep the schedule you have, and poll again for one that follows it",
            code="version_regressed",
        )


DIRECT = (get_schedule, stream_schedule)
