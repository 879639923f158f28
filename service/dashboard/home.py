"""The first page: what needs attention, what runs, studies and live jobs; or what to do first."""

from typing import Annotated
from uuid import UUID

from fastapi import APIRouter
from fastapi.responses import HTMLResponse

from service.dashboard import attention, overview
from service.dashboard.rendering import page
from service.db import SessionDep
from service.jobs import overview_repository as job_overview
from service.jobs import repository as job_repository
from service.jobs import service as jobs
from service.listing import Wanted
from service.models import TaskState
from service.pages import PagingById
from service.scopes import Principal, Scope, needs
from service.studies import repository as study_repository
from service.tasks import repository as tasks

router = APIRouter()

_MOST_ROWS = 12  # of studies and of jobs: the lists behind them have all
_MOST_LIVE = 100  # live jobs, those heard of last, that are looked at for domains that run dry
_MOST_WORK = 10
_KINDS = ("fit", "proposal")
_OPEN = (TaskState.QUEUED, TaskState.RUNNING)


@router.get("/")
def home(session: SessionDep, caller: Annotated[Principal, needs(Scope.STUDIES_READ)]) -> HTMLResponse:
    """What somebody wants to know who opens the dashboard."""
    sees_jobs = Scope.JOBS_READ in caller.scopes
    found = study_repository.page(session, caller.project_id, Wanted(limit=_MOST_ROWS))
    newest = job_repository.page(session, caller.project_id, Wanted(limit=1)) if sees_jobs else None
    heard = job_overview.heard(session, caller.project_id, _MOST_LIVE) if sees_jobs else []
    work: Wanted[UUID] = Wanted(limit=_MOST_WORK)
    running = tasks.page(session, caller.project_id, work, kinds=_KINDS, states=_OPEN)
    rows = overview.of_studies(session, found.rows)
    return page(
        "home.html",
        notices=attention.of_studies(session, caller)
        + (attention.of_jobs(session, caller, heard) if sees_jobs else []),
        looked_at=_MOST_LIVE if len(heard) == _MOST_LIVE else None,
        most_told=attention.MOST_TOLD,
        silent_minutes=attention.SILENT_MINUTES,
        dry_steps=attention.DRY_STEPS,
        most_studies=attention.MOST_STUDIES,
        studies=rows,
        training=[row for row in rows if row.runs.get("running")],
        more_studies=found.last is not None,
        most_results=overview.MOST_RESULTS,
        jobs=overview.of_jobs(session, heard[:_MOST_ROWS]),
        any_jobs=bool(newest and newest.rows),
        work=running.rows,
    )


@router.get("/studies")
def list_studies(
    session: SessionDep, caller: Annotated[Principal, needs(Scope.STUDIES_READ)], paging: PagingById
) -> HTMLResponse:
    """All studies, newest first."""
    found = study_repository.page(session, caller.project_id, paging.wanted)
    rows = overview.of_studies(session, found.rows)
    return page(
        "studies.html", studies=rows, most_results=overview.MOST_RESULTS, next=paging.next(found.last)
    )


@router.get("/jobs")
def list_jobs(
    session: SessionDep, caller: Annotated[Principal, needs(Scope.JOBS_READ)], paging: PagingById
) -> HTMLResponse:
    """All jobs, newest first, those that were ended too."""
    found = job_repository.page(session, caller.project_id, paging.wanted)
    return page("jobs.html", jobs=jobs.all_shown(session, found.rows), next=paging.next(found.last))
