"""Queries for refused reports."""

from collections.abc import Sequence
from typing import Any
from uuid import UUID

from sqlalchemy import func, select
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.orm import Session

from service.models import JobRefusal


def add(session: Session, rows: Sequence[dict[str, Any]]) -> None:
    """Add to the counts of reasons."""
    if not rows:
        return
    query = insert(JobRefusal).values([{**row, "last_at": func.now()} for row in rows])
    new = query.excluded
    session.execute(
        query.on_conflict_do_update(
            index_elements=["job_id", "code"],
            set_={
                "count": JobRefusal.count + new.count,
                "detail": new.detail,
                "seq": new.seq,
                "last_at": new.last_at,
            },
        )
    )


def of_job(session: Session, job_id: UUID) -> list[JobRefusal]:
    """The reasons for which something of a job was refused, by their names."""
    return of_jobs(session, [job_id])


def of_jobs(session: Session, job_ids: Sequence[UUID]) -> list[JobRefusal]:
    """The same of several jobs."""
    query = select(JobRefusal).where(JobRefusal.job_id.in_(job_ids)).order_by(JobRefusal.code)
    return list(session.scalars(query))
