"""The first page: studies and live jobs, or what to do first."""

from typing import Annotated

from fastapi import APIRouter
from fastapi.responses import HTMLResponse

from service.dashboard.rendering import page
from service.db import SessionDep
from service.jobs import repository as job_repository
from service.jobs import service as jobs
from service.scopes import Principal, Scope, needs
from service.studies import repository as study_repository
from service.studies import service as studies

router = APIRouter()


@router.get("/")
def home(session: SessionDep, caller: Annotated[Principal, needs(Scope.STUDIES_READ)]) -> HTMLResponse:
    """Studies and jobs, newest first."""
    caller.require(Scope.JOBS_READ)
    shown_jobs = jobs.all_shown(session, job_repository.of_project(session, caller.project_id))
    found = study_repository.of_project(session, caller.project_id)
    return page("home.html", studies=studies.shown(session, found), jobs=shown_jobs)
