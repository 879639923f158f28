"""Endpoint of the audit trail."""

from typing import Annotated

from fastapi import APIRouter, Query
from pydantic import AwareDatetime

from service.audit import service
from service.audit.repository import Filters
from service.audit.schemas import AuditEntryOut
from service.db import SessionDep
from service.errors import InvalidCursorError, InvalidRequestError
from service.pages import PagingByNumberAndName
from service.problem_details import errors
from service.routes import Route
from service.schemas import Page, Text
from service.scopes import Principal, Scope, needs

router = APIRouter(prefix="/v1/audit", tags=["audit"], route_class=Route)

Moment = AwareDatetime | None


@router.get("", responses=errors(InvalidRequestError, InvalidCursorError))
def list_audit(
    session: SessionDep,
    caller: Annotated[Principal, needs(Scope.AUDIT_READ)],
    paging: PagingByNumberAndName,
    actor: Annotated[Text | None, Query(max_length=300, description="Only what this one did.")] = None,
    kind: Annotated[
        Text | None,
        Query(max_length=100, description="Only this kind; `key` or `job` for all that begin so."),
    ] = None,
    since: Annotated[Moment, Query(description="Only from this time on, with its offset.")] = None,
    until: Annotated[Moment, Query(description="Only before this time, with its offset.")] = None,
) -> Page[AuditEntryOut]:
    """Who did what in the project, and why, newest first: keys, studies, jobs and their orders, logins.

    What a job's policy did by itself is in the trail of the job.
    """
    found = service.page(session, caller.project_id, Filters(actor, kind, since, until), paging.wanted)
    return paging.page(found, found.rows)
