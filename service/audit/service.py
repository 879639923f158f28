"""Reading the audit trail in pages."""

from datetime import UTC, datetime, timedelta
from uuid import UUID

from sqlalchemy.orm import Session

from service.audit import repository
from service.audit.repository import Filters
from service.audit.schemas import AuditEntryOut
from service.listing import Found, Wanted

Place = tuple[int, str]  # microseconds since 1970, and the entry's id
_EPOCH = datetime.fromtimestamp(0, UTC)
_MICROSECOND = timedelta(microseconds=1)


def page(
    session: Session, project_id: UUID, filters: Filters, wanted: Wanted[Place]
) -> Found[AuditEntryOut, Place]:
    """Entries of a project, newest first; an entry that comes in later moves no page."""
    before = None if wanted.after is None else (_EPOCH + wanted.after[0] * _MICROSECOND, wanted.after[1])
    rows = repository.newest(session, project_id, filters, before=before, limit=wanted.limit + 1)
    items = [AuditEntryOut.model_validate(row) for row in rows[: wanted.limit]]
    return Found(items, _place(items[-1]) if len(rows) > wanted.limit else None)


def _place(entry: AuditEntryOut) -> Place:
    return (entry.at - _EPOCH) // _MICROSECOND, entry.id
