"""The query of the audit trail: its own entries, and the orders in the logs of jobs, as one list."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import (
    BigInteger,
    ColumnElement,
    Select,
    String,
    Text,
    Uuid,
    cast,
    func,
    literal,
    null,
    or_,
    select,
    true,
    tuple_,
    union_all,
)
from sqlalchemy.dialects.postgresql import JSONB
from sqlalchemy.orm import Session

from mixlaws.steering.events import ORDERS, EventKind
from service.models import AuditEntry, Job, JobEvent

_OF_JOBS = "job."
# Results of tasks and late stages are the machine's own business: the log of the job tells them.
_BY_PEOPLE = ORDERS | {EventKind.ATTEMPT}
_DIGITS = 19  # of the largest place in a log: as text, places sort as numbers do


@dataclass(frozen=True)
class Filters:
    """Which entries are asked for.

    Args:
        actor: who did it, in full.
        kind: what was done, or what comes before its dot.
        since: not older.
        until: older.
    """

    actor: str | None
    kind: str | None
    since: datetime | None
    until: datetime | None


def newest(
    session: Session, project_id: UUID, filters: Filters, *, before: tuple[datetime, str] | None, limit: int
) -> Sequence[Any]:
    """Rows of (id, at, kind, actor, key_id, subject, reason, details), newest first.

    Args:
        session: where they are read.
        project_id: whose trail it is.
        filters: which entries are asked for.
        before: what an entry is older than, by its time and id.
        limit: most entries.
    """
    wanted = _Wanted(filters, before, limit)
    both = union_all(_entries(project_id, wanted), _orders(project_id, wanted)).subquery()
    query = select(both).order_by(both.c.at.desc(), both.c.id.desc()).limit(limit)
    return session.execute(query).all()


@dataclass(frozen=True)
class _Wanted:
    filters: Filters
    before: tuple[datetime, str] | None
    limit: int


def _entries(project_id: UUID, wanted: _Wanted) -> Select[Any]:
    entry_id = cast(AuditEntry.id, Text)
    conditions = _conditions(wanted, AuditEntry.created_at, entry_id, AuditEntry.actor, AuditEntry.kind)
    query = select(
        entry_id.label("id"),
        AuditEntry.created_at.label("at"),
        AuditEntry.kind.label("kind"),
        AuditEntry.actor.label("actor"),
        AuditEntry.key_id.label("key_id"),
        AuditEntry.subject.label("subject"),
        AuditEntry.reason.label("reason"),
        AuditEntry.details.label("details"),
    ).where(AuditEntry.project_id == project_id, *conditions)
    newest_first = query.order_by(AuditEntry.created_at.desc(), entry_id.desc())
    return select(newest_first.limit(wanted.limit).subquery())


def _orders(project_id: UUID, wanted: _Wanted) -> Select[Any]:
    """The newest orders of every job, then of all: by the index of each, however long the logs are."""
    place = func.lpad(cast(JobEvent.seq, Text), _DIGITS, "0")
    event_id = cast(JobEvent.job_id, Text) + ":" + place
    kind = literal(_OF_JOBS) + cast(JobEvent.kind, String)
    details = func.jsonb_build_object(
        "seq", JobEvent.seq,
        "attempt", JobEvent.attempt,
        "step", cast(JobEvent.reported_step, BigInteger),
        "taken_back", JobEvent.taken_back,
    )  # fmt: skip
    of_job = (
        select(
            event_id.label("id"),
            JobEvent.created_at.label("at"),
            kind.label("kind"),
            JobEvent.actor.label("actor"),
            cast(null(), Uuid).label("key_id"),
            Job.name.label("subject"),
            func.coalesce(JobEvent.payload["reason"].astext, "").label("reason"),
            cast(details, JSONB).label("details"),
        )
        .where(
            JobEvent.job_id == Job.id,
            JobEvent.kind.in_(_BY_PEOPLE),
            *_conditions(wanted, JobEvent.created_at, event_id, JobEvent.actor, kind),
        )
        .order_by(JobEvent.created_at.desc(), event_id.desc())
        .limit(wanted.limit)
        .correlate(Job)
        .lateral()
    )
    return select(of_job).select_from(Job).join(of_job, true()).where(Job.project_id == project_id)


def _conditions(
    wanted: _Wanted, at: Any, entry_id: ColumnElement[str], actor: Any, kind: Any
) -> list[ColumnElement[bool]]:
    found: list[ColumnElement[bool]] = []
    if wanted.filters.actor is not None:
        found.append(actor == wanted.filters.actor)
    if wanted.filters.kind is not None:
        found.append(or_(kind == wanted.filters.kind, func.starts_with(kind, wanted.filters.kind + ".")))
    if wanted.filters.since is not None:
        found.append(at >= wanted.filters.since)
    if wanted.filters.until is not None:
        found.append(at < wanted.filters.until)
    if wanted.before is not None:
        moment, other = wanted.before
        found += [at <= moment, tuple_(at, entry_id) < tuple_(literal(moment), literal(other))]
    return found
