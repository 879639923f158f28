"""The first page: studies and live jobs, or what to do first."""

from typing import Annotated

from fastapi import APIRouter
from fastapi.responses import HTMLResponse

from service.dashboard.rendering import page
from service.db import SessionDep
from service.jobs import repository as job_repository
from service.jobs import service as jobs
from service.listing import Wanted
from service.scopes import Principal, Scope, needs
from service.studies import repository as study_repository
from service.studies import service as studies

router = APIRouter()


@router.get("/")
def home(session: SessionDep, caller: Annotated[Principal, needs(Scope.STUDIES_READ)]) -> HTMLResponse:
    """Studies and jobs, newest first."""
    caller.require(Scope.JOBS_READ)
    found_jobs = job_repository.page(session, caller.project_id, Wanted())
    found = study_repository.page(session, caller.project_id, Wanted())
    return page(
        "home.html",
        studies=studies.shown(session, found.rows),
        more_studies=found.last is not None,
        jobs=jobs.all_shown(session, found_jobs.rows),
        more_jobs=found_jobs.last is not None,
    )
