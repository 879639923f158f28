"""Endpoints of the live contract but for following a schedule. Reports are async and hold no session."""

from typing import Annotated

from fastapi import APIRouter, Query, Request, Response, status

from service.audit import trail
from service.db import SessionDep, undo
from service.errors import ConflictError, InvalidCursorError, InvalidRequestError, NotFoundError
from service.jobs import attempts, ending, repository, service
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
    VersionOut,
)
from service.models import AuditKind
from service.pages import PagingById, PagingByNumber
from service.problem_details import errors
from service.routes import Route, already
from service.schemas import Page
from service.scopes import Principal, Scope, needs

router = APIRouter(prefix="/v1/jobs", tags=["jobs"], route_class=Route)


@router.post(
    "",
    status_code=status.HTTP_201_CREATED,
    responses=already(JobOut) | errors(ConflictError, InvalidRequestError),
)
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
    if created:
        trail.record(session, caller, AuditKind.JOB_CREATED, job.name, job=str(job.id))
    shown = service.shown(session, job)
    if dry_run:
        undo(session)
    return shown


@router.get("", responses=errors(InvalidCursorError))
def list_jobs(
    session: SessionDep, caller: Annotated[Principal, needs(Scope.JOBS_READ)], paging: PagingById
) -> Page[JobOut]:
    """Jobs of the project, newest first."""
    found = repository.page(session, caller.project_id, paging.wanted)
    return paging.page(found, service.all_shown(session, found.rows))


@router.get("/{job}", responses=errors(NotFoundError))
def get_job(
    job: JobName, session: SessionDep, caller: Annotated[Principal, needs(Scope.JOBS_READ)]
) -> JobOut:
    """A job with its counters."""
    return service.shown(session, service.get(session, caller.project_id, job))


@router.get("/{job}/versions", responses=errors(NotFoundError, InvalidCursorError))
def list_versions(
    job: JobName,
    session: SessionDep,
    caller: Annotated[Principal, needs(Scope.JOBS_READ)],
    paging: PagingByNumber,
) -> Page[VersionOut]:
    """Versions that were ever published, oldest first, and what became of each."""
    owner = service.get(session, caller.project_id, job)
    found = repository.stages(session, owner.id, paging.wanted)
    return paging.page(found, service.versions(owner, found.rows))


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
    followed = ending.going(session, caller.project_id, job)
    service.acknowledge(session, followed, [body] if isinstance(body, AckIn) else body.acks)
    return AcksOut(attempt=followed.attempt, version=followed.version)


@router.post(
    "/{job}/attempts",
    status_code=status.HTTP_201_CREATED,
    responses=errors(NotFoundError, ConflictError, InvalidRequestError),
)
def open_attempt(
    job: JobName, body: AttemptIn, session: SessionDep, caller: Annotated[Principal, needs(Scope.JOBS_FOLLOW)]
) -> AttemptOut:
    """Restart from a checkpoint: the policy's state of that step comes back, older attempts are fenced."""
    followed = ending.going(session, caller.project_id, job)
    opened = attempts.open_attempt(session, followed, body, actor=caller.name)
    return AttemptOut.model_validate(opened, from_attributes=True)


DIRECT = (post_reports,)
