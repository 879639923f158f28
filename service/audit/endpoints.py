"""Endpoint of the audit trail."""

from typing import Annotated

from fastapi import APIRouter, Query
from pydantic import AwareDatetime

from service.audit import service
from service.audit.schemas import AuditEntryOut
from service.db import SessionDep
from service.errors import InvalidRequestError
from service.problem_details import errors
from service.schemas import Page, Text
from service.scopes import Principal, Scope, needs

router = APIRouter(prefix="/v1/audit", tags=["audit"])

Moment = AwareDatetime | None


@router.get("", responses=errors(InvalidRequestError))
def list_audit(
    session: SessionDep,
    caller: Annotated[Principal, needs(Scope.AUDIT_READ)],
    actor: Annotated[Text | None, Query(max_length=300, description="Only what this one did.")] = None,
    kind: Annotated[
        Text | None,
        Query(max_length=100, description="Only this kind; `key` or `job` for all that begin so."),
    ] = None,
    since: Annotated[Moment, Query(description="Only from this time on, with its offset.")] = None,
    until: Annotated[Moment, Query(description="Only before this time, with its offset.")] = None,
    limit: Annotated[int, Query(ge=1, le=1000, description="Most items of the page.")] = 100,
    cursor: Annotated[str | None, Query(max_length=100, description="`next` of the page before.")] = None,
) -> Page[AuditEntryOut]:
    """Who did what in the project, and why, newest first: keys, studies, jobs and their orders, logins.

    What a job's policy did by itself is in the trail of the job.
    """
    return service.page(
        session,
        caller.project_id,
        actor=actor,
        kind=kind,
        since=since,
        until=until,
        cursor=cursor,
        limit=limit,
    )
