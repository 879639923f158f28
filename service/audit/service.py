"""Reading the audit trail in pages."""

import contextlib
import re
from datetime import UTC, datetime
from uuid import UUID

from sqlalchemy.orm import Session

from service.audit import repository
from service.audit.repository import Wanted
from service.audit.schemas import AuditEntryOut
from service.errors import InvalidRequestError
from service.schemas import Page

_CURSOR = re.compile(r"(\d{1,18})_([0-9a-f:-]{36,56})")


def page(
    session: Session,
    project_id: UUID,
    *,
    actor: str | None,
    kind: str | None,
    since: datetime | None,
    until: datetime | None,
    cursor: str | None,
    limit: int,
) -> Page[AuditEntryOut]:
    """Entries of a project, newest first; an entry that comes in later moves no page.

    Raises:
        InvalidRequestError: the cursor is none of ours.
    """
    wanted = Wanted(actor, kind, since, until, None if cursor is None else _place(cursor), limit + 1)
    rows = repository.newest(session, project_id, wanted)
    items = [AuditEntryOut.model_validate(row) for row in rows[:limit]]
    return Page(items=items, next=_cursor(items[-1]) if len(rows) > limit else None)


def _cursor(entry: AuditEntryOut) -> str:
    moment = entry.at.astimezone(UTC)
    return f"{int(moment.replace(microsecond=0).timestamp()) * 1_000_000 + moment.microsecond}_{entry.id}"


def _place(cursor: str) -> tuple[datetime, str]:
    match = _CURSOR.fullmatch(cursor)
    if match is not None:
        seconds, micros = divmod(int(match[1]), 1_000_000)
        with contextlib.suppress(ValueError, OverflowError, OSError):  # a time that no calendar has
            return datetime.fromtimestamp(seconds, UTC).replace(microsecond=micros), match[2]
    raise InvalidRequestError(
        "query.cursor: this is no cursor of the audit trail: send the `next` of the page before"
    )
