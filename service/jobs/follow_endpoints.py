"""Endpoints by which trainers follow a schedule: polls, long polls, events. They are answered directly."""

import re
from typing import Annotated

from fastapi import APIRouter, Header, Request
from fastapi.responses import StreamingResponse
from starlette.types import ASGIApp

from service.errors import NotFoundError, UnavailableError
from service.jobs.board import Board
from service.jobs.following import EventStream, LongPoll
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
        **errors(NotFoundError, UnavailableError),
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
        return LongPoll(board, caller.project_id, job, held, min(float(match[1]), LONGEST_WAIT))
    entry = await board.get(caller.project_id, job, held=held)
    return entry.unchanged if entry.etag == held else entry.full


@router.get(
    "/{job}/schedule/events",
    response_class=StreamingResponse,
    response_model=None,
    responses={
        200: {"description": "One event a version.", "content": {"text/event-stream": {"schema": _TEXT}}},
        **errors(NotFoundError, UnavailableError),
    },
)
async def stream_schedule(
    job: JobName,
    request: Request,
    caller: Annotated[Principal, needs(Scope.JOBS_FOLLOW)],
    last_event_id: Annotated[str | None, Header(description="Last event that you saw.")] = None,
) -> ASGIApp:
    """The same schedules as server-sent events, for those who rather listen than poll."""
    return EventStream(request.app.state.board, caller.project_id, job, last_event_id)


DIRECT = (get_schedule, stream_schedule)
