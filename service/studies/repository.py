"""Queries for studies."""

from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import func, select
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.orm import Session

from service import pages_repository
from service.ids import new_id
from service.listing import Found, Wanted
from service.models import ProxyRun, Study


def by_name(session: Session, project_id: UUID, name: str) -> Study | None:
    """The study of a name."""
    return session.scalar(select(Study).where(Study.project_id == project_id, Study.name == name))


def insert_or_get(
    session: Session,
    project_id: UUID,
    name: str,
    definition: dict[str, Any],
    *,
    created_at: datetime | None = None,
) -> tuple[Study, bool]:
    """The study of a name, and whether it is new: of two callers at once, one made it."""
    made = session.execute(
        insert(Study)
        .values(
            id=new_id(),
            project_id=project_id,
            name=name,
            definition=definition,
            created_at=created_at or func.clock_timestamp(),
        )
        .on_conflict_do_nothing(index_elements=["project_id", "name"])
        .returning(Study.id)
    ).first()
    query = select(Study).where(Study.project_id == project_id, Study.name == name)
    return session.scalars(query).one(), made is not None


def page(session: Session, project_id: UUID, wanted: Wanted[UUID]) -> Found[Study, UUID]:
    """Studies of a project, newest first."""
    query = select(Study).where(Study.project_id == project_id)
    return pages_repository.page(session, query, Study.id, wanted, newest_first=True)


def lock(session: Session, study: Study) -> None:
    """Let those who put named runs into a study do so one after the other; its sweeps need not wait."""
    session.execute(select(Study.id).where(Study.id == study.id).with_for_update(key_share=True))


def lock_notes(session: Session, study: Study) -> None:
    """Let editors of a study's notes do so one after the other, and read what the last one left."""
    lock(session, study)
    session.refresh(study, ["notes", "notes_revision"])


def run_counts(session: Session, study_ids: list[UUID]) -> dict[UUID, dict[str, int]]:
    """Number of runs in each state, by study."""
    rows = session.execute(
        select(ProxyRun.study_id, ProxyRun.state, func.count())
        .where(ProxyRun.study_id.in_(study_ids))
        .group_by(ProxyRun.study_id, ProxyRun.state)
    )
    counts: dict[UUID, dict[str, int]] = {study_id: {} for study_id in study_ids}
    for study_id, state, count in rows:
        counts[study_id][str(state)] = count
    return counts
