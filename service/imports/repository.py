"""Queries for imported runs."""

from collections.abc import Sequence
from uuid import UUID

from sqlalchemy import select
from sqlalchemy.orm import Session

from service.models import ProxyRun, Study

# What the training spec of an imported run says of it, since nobody here trains it.
MARK = "imported"


def lock(session: Session, study: Study) -> None:
    """Let one import into a study happen after the other; runs of its sweeps are not kept waiting."""
    session.execute(select(Study.id).where(Study.id == study.id).with_for_update(key_share=True))


def named(session: Session, study_id: UUID, names: Sequence[str]) -> dict[str, ProxyRun]:
    """Imported runs of a study, by name."""
    query = select(ProxyRun).where(
        ProxyRun.study_id == study_id, ProxyRun.train.has_key(MARK), ProxyRun.label.in_(names)
    )
    return {run.label: run for run in session.scalars(query)}
