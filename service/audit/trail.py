"""Writing the audit trail: in the transaction of what it tells of, so that neither is without the other."""

from typing import Any
from uuid import UUID

from sqlalchemy.orm import Session

from service.models import AuditEntry, AuditKind
from service.scopes import Principal

COMMAND_LINE = "command line"


def record(
    session: Session,
    who: Principal,
    kind: AuditKind,
    subject: str,
    *,
    reason: str = "",
    project_id: UUID | None = None,
    **details: Any,
) -> None:
    """Enter what was done.

    Args:
        session: the transaction in which it is done.
        who: who does it.
        kind: what is done.
        subject: name of what it is done to.
        reason: why, in the words of whoever does it.
        project_id: whose trail it belongs to; by default the caller's.
        details: what else is to be known, JSON; never a secret.
    """
    session.add(
        AuditEntry(
            project_id=project_id or who.project_id,
            kind=kind.value,
            actor=who.name,
            key_id=who.key_id,
            subject=subject,
            reason=reason,
            details=details,
        )
    )


def operator_here(project_id: UUID) -> Principal:
    """Whoever works on the database itself, by the command line."""
    return Principal(project_id, frozenset(), COMMAND_LINE)
