"""Endpoints of background work of all kinds."""

from typing import Annotated
from uuid import UUID

from fastapi import APIRouter, Query

from service.db import SessionDep
from service.models import TaskState
from service.schemas import Page
from service.scopes import Principal, Scope, needs
from service.tasks import repository
from service.tasks.repository import TaskRow
from service.tasks.schemas import TaskOut

router = APIRouter(prefix="/v1", tags=["tasks"])

_STUDIES = ("fit", "proposal")
_LISTED = (TaskState.QUEUED, TaskState.RUNNING, TaskState.FAILED)


@router.get("/tasks")
def list_tasks(
    session: SessionDep,
    caller: Annotated[Principal, needs(Scope.STUDIES_READ)],
    state: Annotated[
        list[TaskState], Query(max_length=len(TaskState), description="Only work in these states.")
    ] = list(_LISTED),  # noqa: B006 - the framework copies it
    limit: Annotated[int, Query(ge=1, le=1000, description="Most items of the page.")] = 100,
    cursor: Annotated[UUID | None, Query(description="`next` of the page before.")] = None,
) -> Page[TaskOut]:
    """Fits, proposals and steps of policies that wait, run or failed, newest first.

    Steps of policies belong to jobs: they are listed for keys that may read these.
    """
    kinds = list(repository.TABLES) if Scope.JOBS_READ in caller.scopes else list(_STUDIES)
    rows = repository.page(
        session, caller.project_id, kinds=kinds, states=state, before=cursor, limit=limit + 1
    )
    items = [_shown(row) for row in rows[:limit]]
    return Page(items=items, next=str(items[-1].id) if len(rows) > limit else None)


def _shown(row: TaskRow) -> TaskOut:
    href = {
        "fit": f"/v1/fits/{row.id}",
        "proposal": f"/v1/proposals/{row.id}",
        "policy-step": f"/v1/jobs/{row.subject}",
    }[row.kind]
    return TaskOut(href=href, **{**row._asdict(), "state": row.state.value})
