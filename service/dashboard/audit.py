"""The audit trail of the project, paged and filtered; for those who may read it."""

from datetime import UTC, date, datetime, time, timedelta
from typing import Annotated

from fastapi import APIRouter, Query, Request
from fastapi.responses import HTMLResponse

from mixlaws.steering.events import ORDERS, EventKind
from service.audit import service
from service.audit.repository import Filters
from service.dashboard.rendering import page
from service.db import SessionDep
from service.errors import InvalidRequestError
from service.models import AuditKind
from service.pages import PagingByNumberAndName
from service.schemas import Text
from service.scopes import Principal, Scope, needs

router = APIRouter()

_OF_JOBS = {f"job.{kind.value}" for kind in ORDERS | {EventKind.ATTEMPT}}
_KINDS = sorted({kind.value for kind in AuditKind} | _OF_JOBS)
# All that begin so.
_GROUPS = sorted({kind.split(".")[0] for kind in _KINDS})


@router.get("/audit")
def show_audit(
    request: Request,
    session: SessionDep,
    caller: Annotated[Principal, needs(Scope.AUDIT_READ)],
    paging: PagingByNumberAndName,
    actor: Annotated[Text, Query(max_length=300)] = "",
    kind: Annotated[Text, Query(max_length=100)] = "",
    since: str = "",
    until: str = "",
) -> HTMLResponse:
    """Who did what in the project, and why, newest first."""
    first, last = _day("since", since), _day("until", until)
    filters = Filters(actor or None, kind or None, first, last and last + timedelta(days=1))
    found = service.page(session, caller.project_id, filters, paging.wanted)
    following = paging.next(found.last)
    return page(
        "audit.html",
        entries=found.rows,
        asked={"actor": actor, "kind": kind, "since": since, "until": until},
        filtered=bool(actor or kind or since or until),
        later="cursor" in request.query_params,
        kinds=_KINDS,
        groups=_GROUPS,
        # The cursor holds only with the filters as they were sent.
        next=following and str(request.url.include_query_params(cursor=following).query),
    )


def _day(name: str, told: str) -> datetime | None:
    """The beginning of a day, by UTC.

    Raises:
        InvalidRequestError: it is no day, or there is none after it.
    """
    if not told:
        return None
    try:
        day = datetime.combine(date.fromisoformat(told), time(), UTC)
        day + timedelta(days=1)
    except (ValueError, OverflowError) as error:
        raise InvalidRequestError(f"{name}: {told!r} is no day: write it as 2026-11-21") from error
    return day
