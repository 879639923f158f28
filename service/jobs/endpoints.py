"""Endpoints of the live contract. Polls, events and reports are async and hold no session while they wait."""

from collections.abc import AsyncIterator
from typing import Annotated

from fastapi import APIRouter, Header, Query, Request, Response, status
from fastapi.responses import StreamingResponse

from service.db import SessionDep, undo
from service.errors import ConflictError, InvalidRequestError, NotFoundError
from service.jobs import attempts, repository, service
from service.jobs.board import Board
from service.jobs.committing import Committer
from service.jobs.schemas import (
    AckIn,
    AcksBody,
    AcksOut,
    AttemptIn,
    AttemptOut,
    JobIn,
    JobName,
    JobOut,
    ReportIn,
    ReportsBody,
    ReportsOut,
    ScheduleOut,
    VersionOut,
)
from service.preferences import wait_seconds
from service.problem_details import errors
from service.scopes import Principal, Scope, needs

router = APIRouter(prefix="/v1/jobs", tags=["jobs"])

_COMMENT_SECONDS = 15.0  # between signs of life on an event stream


@router.post("", status_code=status.HTTP_201_CREATED, responses=errors(ConflictError, InvalidRequestError))
def create_job(
    body: JobIn,
    response: Response,
    session: SessionDep,
    caller: Annotated[Principal, needs(Scope.JOBS_WRITE)],
    dry_run: Annotated[bool, Query(description="Whether only to check it: nothing is stored.")] = False,
) -> JobOut:
    """Create a live job. The same body again, or a dry run, answers 200."""
    job, created = service.create(session, caller.project_id, body)
    if not created or dry_run:
        response.status_code = status.HTTP_200_OK
    shown = service.shown(session, job)
    if dry_run:
        undo(session)
    return shown


@router.get("")
def list_jobs(session: SessionDep, caller: Annotated[Principal, needs(Scope.JOBS_READ)]) -> list[JobOut]:
    """All jobs of the project, newest first."""
    return [service.shown(session, job) for job in repository.of_project(session, caller.project_id)]


@router.get("/{job}", responses=errors(NotFoundError))
def get_job(
    job: JobName, session: SessionDep, caller: Annotated[Principal, needs(Scope.JOBS_READ)]
) -> JobOut:
    """A job with its counters."""
    return service.shown(session, service.get(session, caller.project_id, job))


@router.get("/{job}/versions", responses=errors(NotFoundError))
def list_versions(
    job: JobName, session: SessionDep, caller: Annotated[Principal, needs(Scope.JOBS_READ)]
) -> list[VersionOut]:
    """Every version that was ever published, and what became of it."""
    return service.versions(session, service.get(session, caller.project_id, job))


@router.get(
    "/{job}/schedule",
    response_model=ScheduleOut,
    responses={304: {"description": "Nothing newer than the version you hold."}, **errors(NotFoundError)},
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
) -> Response:
    """The schedule to follow, or 304 if you hold it already."""
    board: Board = request.app.state.board
    # A proxy that compresses answers makes their ETags weak, and a client sends back what it was given.
    held = (if_none_match or "").strip().removeprefix("W/")
    seconds = wait_seconds(prefer) if held else 0.0
    entry = await board.changed(caller.project_id, job, held, seconds)
    if entry is None:
        headers = {"ETag": held, "Cache-Control": "no-cache"}
        return Response(status_code=status.HTTP_304_NOT_MODIFIED, headers=headers)
    headers = {"ETag": entry.etag, "Cache-Control": "no-cache"}
    return Response(entry.body, media_type="application/json", headers=headers)


@router.get("/{job}/schedule/events", response_class=StreamingResponse, responses=errors(NotFoundError))
async def stream_schedule(
    job: JobName,
    request: Request,
    caller: Annotated[Principal, needs(Scope.JOBS_FOLLOW)],
    last_event_id: Annotated[str | None, Header(description="Last event that you saw.")] = None,
) -> StreamingResponse:
    """The same schedules as server-sent events, for those who rather listen than poll."""
    board: Board = request.app.state.board
    await board.get(caller.project_id, job)  # a missing job is a 404 and not an empty stream

    async def events() -> AsyncIterator[bytes]:
        seen = last_event_id
        while not board.closing.is_set():
            entry = await board.changed(caller.project_id, job, seen, _COMMENT_SECONDS)
            if entry is None:
                yield b": alive\n\n"
                continue
            seen = entry.etag
            yield b"id: %s\nevent: schedule\ndata: %s\n\n" % (entry.etag.encode(), entry.body)

    return StreamingResponse(
        events(),
        media_type="text/event-stream",
        headers={"Cache-Control": "no-cache", "X-Accel-Buffering": "no"},
    )


@router.post("/{job}/reports", responses=errors(NotFoundError, ConflictError, InvalidRequestError))
async def post_reports(
    job: JobName, body: ReportsBody, request: Request, caller: Annotated[Principal, needs(Scope.JOBS_FOLLOW)]
) -> ReportsOut:
    """Store one report or a batch, all or nothing, and let the policy see what is new.

    The same report again is counted as a duplicate; other values under the same key answer 409 with both.
    """
    committer: Committer = request.app.state.committer
    reports = [body] if isinstance(body, ReportIn) else body.reports
    return await committer.submit(caller.project_id, job, reports)


@router.post("/{job}/acks", responses=errors(NotFoundError, ConflictError, InvalidRequestError))
def post_acks(
    job: JobName, body: AcksBody, session: SessionDep, caller: Annotated[Principal, needs(Scope.JOBS_FOLLOW)]
) -> AcksOut:
    """Say from which step versions were applied, or that one came too late."""
    followed = service.get(session, caller.project_id, job, lock=True)
    service.acknowledge(session, followed, [body] if isinstance(body, AckIn) else body.acks)
    return AcksOut(attempt=followed.attempt, version=followed.version)


@router.post(
    "/{job}/attempts",
    status_code=status.HTTP_201_CREATED,
    responses=errors(NotFoundError, InvalidRequestError),
)
def open_attempt(
    job: JobName, body: AttemptIn, session: SessionDep, caller: Annotated[Principal, needs(Scope.JOBS_FOLLOW)]
) -> AttemptOut:
    """Restart from a checkpoint: the policy's state of that step comes back, older attempts are fenced."""
    followed = service.get(session, caller.project_id, job, lock=True)
    opened = attempts.open_attempt(session, followed, body, actor=caller.name)
    return AttemptOut.model_validate(opened, from_attributes=True)
