"""Queries for background work of all kinds: how far it is, who waits, what was lost."""

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any, NamedTuple
from uuid import UUID

from sqlalchemy import Float, Select, cast, func, literal, select, text, union_all, update
from sqlalchemy.orm import Session

from service.listing import Found, Wanted
from service.models import ExpensiveStep, Fit, Job, ProposalRequest, Study, TaskState

CHANNEL = "mixwright_tasks"
Row = Fit | ProposalRequest | ExpensiveStep
TABLES: Mapping[str, type[Row]] = {
    "fit": Fit,
    "proposal": ProposalRequest,
    "policy-step": ExpensiveStep,
}
_OPEN = (TaskState.QUEUED, TaskState.RUNNING)


def still_held(session: Session, kind: str, row_id: UUID, lease: UUID) -> bool:
    """Whether a row still runs under a lease: nobody cancelled it, nobody took it over."""
    table = TABLES[kind]
    held = table.id == row_id, table.lease == lease, table.state == TaskState.RUNNING
    return session.scalar(select(table.id).where(*held)) is not None


def tell_progress(session: Session, kind: str, row_id: UUID, lease: UUID, stage: str, share: float) -> bool:
    """Store how far a row is; False if it does not run under this lease any more."""
    table = TABLES[kind]
    held = table.id == row_id, table.lease == lease, table.state == TaskState.RUNNING
    query = update(table).where(*held).values(stage=stage, progress=share).returning(table.id)
    return session.execute(query).first() is not None


def announce_end(session: Session, row_id: UUID) -> None:
    """Wake whoever waits for the end of a row, with the commit."""
    session.execute(select(func.pg_notify(CHANNEL, str(row_id))))


def lost(session: Session) -> Sequence[tuple[str, UUID]]:
    """Open rows that the queue holds no task of: whoever had them could not even say so."""
    unheard = text(
        "NOT EXISTS (SELECT 1 FROM procrastinate_jobs WHERE status IN ('todo', 'doing') "
        "AND args ->> 'row_id' = open.id::text)"
    )
    rows = union_all(
        *(
            select(literal(kind).label("kind"), table.id.label("id")).where(table.state.in_(_OPEN))
            for kind, table in TABLES.items()
        )
    ).subquery("open")
    return [(row.kind, row.id) for row in session.execute(select(rows).where(unheard))]


class TaskRow(NamedTuple):
    """A row of work as a list shows it; `subject` is the name of its study or job."""

    id: UUID
    kind: str
    subject: str
    state: TaskState
    stage: str
    progress: float
    tries: int
    error: str | None
    error_code: str | None
    asked_at: datetime
    started_at: datetime | None
    age_seconds: float


def page(
    session: Session,
    project_id: UUID,
    wanted: Wanted[UUID],
    *,
    kinds: Sequence[str],
    states: Sequence[TaskState],
) -> Found[TaskRow, UUID]:
    """Work of a project, newest first."""
    limit = wanted.limit + 1
    listed = [_listed(kind, project_id, states) for kind in kinds]
    total = None
    if wanted.total:
        every = union_all(*(select(part.subquery()) for part in listed)).subquery()
        total = session.scalar(select(func.count()).select_from(every))
    parts = [_before(part, kind, wanted.after).limit(limit) for part, kind in zip(listed, kinds, strict=True)]
    rows = union_all(*(select(part.subquery()) for part in parts)).subquery()
    query = select(rows).order_by(rows.c.id.desc()).limit(limit)
    found = [TaskRow._make(row) for row in session.execute(query)]
    kept = found[: wanted.limit]
    return Found(kept, kept[-1].id if len(found) > len(kept) else None, total)


def _before(query: Select[Any], kind: str, after: UUID | None) -> Select[Any]:
    table: Any = TABLES[kind]
    return query if after is None else query.where(table.id < after)


def _listed(kind: str, project_id: UUID, states: Sequence[TaskState]) -> Select[Any]:
    table: Any = TABLES[kind]
    owner: Any = Job if table is ExpensiveStep else Study
    return (
        select(
            table.id.label("id"),
            literal(kind).label("kind"),
            owner.name.label("subject"),
            *(getattr(table, name).label(name) for name in TaskRow._fields[3:-1]),
            cast(func.extract("epoch", func.now() - table.asked_at), Float).label("age_seconds"),
        )
        .join(owner, owner.id == (table.job_id if table is ExpensiveStep else table.study_id))
        .where(owner.project_id == project_id, table.state.in_(states))
        .order_by(table.id.desc())
    )
