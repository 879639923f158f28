"""Endpoints of deletion."""

from typing import Annotated

from fastapi import APIRouter, Query, status

from service.db import SessionDep
from service.errors import ConflictError, NotFoundError, PreconditionRequiredError
from service.jobs.schemas import JobName
from service.problem_details import errors
from service.retention import deleting
from service.routes import Route
from service.scopes import Principal, Scope, needs
from service.studies.schemas import StudyName

router = APIRouter(prefix="/v1", route_class=Route)

_REFUSED = errors(NotFoundError, ConflictError, PreconditionRequiredError)
Confirm = Annotated[str | None, Query(description="The name once more: nothing brings back what is deleted.")]
Force = Annotated[bool, Query(description="Whether to delete what is in use.")]


@router.delete(
    "/studies/{study}", status_code=status.HTTP_204_NO_CONTENT, responses=_REFUSED, tags=["studies"]
)
def delete_study(
    study: StudyName,
    session: SessionDep,
    caller: Annotated[Principal, needs(Scope.STUDIES_WRITE)],
    confirm: Confirm = None,
    force: Force = False,
) -> None:
    """Delete a study with all that belongs to it. While workers train its runs the answer is 409."""
    deleting.delete_study(session, caller, study, confirm=confirm, force=force)


@router.delete("/jobs/{job}", status_code=status.HTTP_204_NO_CONTENT, responses=_REFUSED, tags=["jobs"])
def delete_job(
    job: JobName,
    session: SessionDep,
    caller: Annotated[Principal, needs(Scope.JOBS_WRITE)],
    confirm: Confirm = None,
    force: Force = False,
) -> None:
    """Delete a job with its history. While it reports and was not ended the answer is 409."""
    deleting.delete_job(session, caller, job, confirm=confirm, force=force)
