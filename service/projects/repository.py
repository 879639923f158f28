"""Queries for projects."""

from collections.abc import Sequence
from uuid import UUID

from sqlalchemy import delete, exists, select
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.orm import Session

from service import pages_repository
from service.ids import new_id
from service.listing import Found, Wanted
from service.models import Job, Project, Study


def by_id(session: Session, project_id: UUID) -> Project | None:
    """A project, locked."""
    return session.scalar(select(Project).where(Project.id == project_id).with_for_update())


def insert_or_get(session: Session, name: str) -> tuple[Project, bool]:
    """The project of a name, and whether it is new: of two callers at once, one made it."""
    made = session.execute(
        insert(Project)
        .values(id=new_id(), name=name)
        .on_conflict_do_nothing(index_elements=["name"])
        .returning(Project.id)
    ).first()
    return session.scalars(select(Project).where(Project.name == name)).one(), made is not None


def page(session: Session, wanted: Wanted[UUID]) -> Found[Project, UUID]:
    """Projects in order of creation."""
    return pages_repository.page(session, select(Project), Project.id, wanted)


def everyone(session: Session) -> Sequence[Project]:
    """All projects in order of creation."""
    return session.scalars(select(Project).order_by(Project.id)).all()


def holds(session: Session, project_id: UUID) -> dict[str, bool]:
    """Whether a project has studies or jobs."""
    row = session.execute(
        select(
            exists(select(Study.id).where(Study.project_id == project_id)),
            exists(select(Job.id).where(Job.project_id == project_id)),
        )
    ).one()
    return {"studies": row[0], "jobs": row[1]}


def remove(session: Session, project_id: UUID) -> None:
    """Delete a project with its keys, its browser sessions and its audit trail."""
    session.execute(delete(Project).where(Project.id == project_id))
