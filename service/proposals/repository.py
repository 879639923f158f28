"""Queries for proposals."""

from uuid import UUID

from sqlalchemy import select
from sqlalchemy.orm import Session

from service import pages_repository
from service.listing import Found, Wanted
from service.models import ProposalRequest, Study


def by_id(session: Session, project_id: UUID, proposal_id: UUID) -> tuple[ProposalRequest, Study] | None:
    """A proposal with its study, if the project owns it."""
    row = session.execute(
        select(ProposalRequest, Study)
        .join(Study, Study.id == ProposalRequest.study_id)
        .where(ProposalRequest.id == proposal_id, Study.project_id == project_id)
    ).first()
    return None if row is None else (row[0], row[1])


def locked(session: Session, proposal_id: UUID) -> ProposalRequest | None:
    """A proposal as it is now, for whoever changes its state."""
    query = select(ProposalRequest).where(ProposalRequest.id == proposal_id).with_for_update()
    return session.scalar(query.execution_options(populate_existing=True))


def page(session: Session, study_id: UUID, wanted: Wanted[UUID]) -> Found[ProposalRequest, UUID]:
    """Proposals of a study, newest first."""
    query = select(ProposalRequest).where(ProposalRequest.study_id == study_id)
    return pages_repository.page(session, query, ProposalRequest.id, wanted, newest_first=True)
