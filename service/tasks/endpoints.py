"""Endpoints of background work of all kinds."""

from typing import Annotated

from fastapi import APIRouter, Query

from service.db import SessionDep
from service.errors import InvalidCursorError
from service.models import TaskState
from service.pages import PagingById
from service.problem_details import errors
from service.routes import Route
from service.schemas import Page
from service.scopes import Principal, Scope, needs
from service.tasks import repository
from service.tasks.repository import TaskRow
from service.tasks.schemas import TaskOut

router = APIRouter(prefix="/v1", tags=["tasks"], route_class=Route)

_STUDIES = ("fit", "proposal")
_LISTED = (TaskState.QUEUED, TaskState.RUNNING, TaskState.FAILED)


@router.get("/tasks", responses=errors(InvalidCursorError))
def list_tasks(
    session: SessionDep,
    caller: Annotated[Principal, needs(Scope.STUDIES_READ)],
    paging: PagingById,
    state: Annotated[
        list[TaskState], Query(max_length=len(TaskState), description="Only work in these states.")
    ] = list(_LISTED),  # noqa: B006 - the framework copies it
) -> Page[TaskOut]:
    """Fits, proposals and steps of policies that wait, run or failed, newest first.

    Steps of policies belong to jobs: they are listed for keys that may read these.
    """
    kinds = list(repository.TABLES) if Scope.JOBS_READ in caller.scopes else list(_STUDIES)
    found = repository.page(session, caller.project_id, paging.wanted, kinds=kinds, states=state)
    return paging.page(found, [_shown(row) for row in found.rows])


def _shown(row: TaskRow) -> TaskOut:
    href = {
        "fit": f"/v1/fits/{row.id}",
        "proposal": f"/v1/proposals/{row.id}",
        "policy-step": f"/v1/jobs/{row.subject}",
    }[row.kind]
    return TaskOut(href=href, **{**row._asdict(), "state": row.state.value})
