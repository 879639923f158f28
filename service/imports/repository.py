"""Queries for imported runs."""

from collections.abc import Sequence
from uuid import UUID

from sqlalchemy import select
from sqlalchemy.orm import Session

from service.models import ProxyRun

# What the training spec of an imported run says of it, since nobody here trains it.
MARK = "imported"


def named(session: Session, study_id: UUID, names: Sequence[str]) -> dict[str, ProxyRun]:
    """Runs of a study that clients named, by name."""
    query = select(ProxyRun).where(ProxyRun.study_id == study_id, ProxyRun.client_id.in_(names))
    return {run.client_id: run for run in session.scalars(query) if run.client_id is not None}
