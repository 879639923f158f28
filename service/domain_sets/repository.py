"""Queries for domain sets."""

from uuid import UUID

from sqlalchemy import select, text
from sqlalchemy.orm import Session

from service import pages_repository
from service.listing import Found, Wanted
from service.models import DomainSetVersion


def lock_name(session: Session, project_id: UUID, name: str) -> None:
    """Let those who make versions of a set do so one after the other."""
    query = text("SELECT pg_advisory_xact_lock(hashtextextended(:what, 0))")
    session.execute(query, {"what": f"domain-set {project_id} {name}"})


def find(session: Session, project_id: UUID, name: str, version: int | None) -> DomainSetVersion | None:
    """A version of a set, or its newest."""
    query = select(DomainSetVersion).where(
        DomainSetVersion.project_id == project_id, DomainSetVersion.name == name
    )
    if version is not None:
        query = query.where(DomainSetVersion.version == version)
    return session.scalar(query.order_by(DomainSetVersion.version.desc()).limit(1))


def page(
    session: Session, project_id: UUID, wanted: Wanted[UUID], *, name: str | None
) -> Found[DomainSetVersion, UUID]:
    """Versions of the sets of a project in order of creation."""
    query = select(DomainSetVersion).where(DomainSetVersion.project_id == project_id)
    if name is not None:
        query = query.where(DomainSetVersion.name == name)
    return pages_repository.page(session, query, DomainSetVersion.id, wanted)
