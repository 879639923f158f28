"""Queries for quotas."""

from typing import Literal
from uuid import UUID

from sqlalchemy import Select, func, select
from sqlalchemy.orm import Session

from service.models import ApiKey, Job, ProxyRun, Study


def count(session: Session, project_id: UUID, counted: Literal["studies", "runs", "jobs", "keys"]) -> int:
    """How many of a kind a project has."""
    queries: dict[str, Select[int]] = {
        "studies": select(func.count()).select_from(Study).where(Study.project_id == project_id),
        "runs": select(func.count())
        .select_from(ProxyRun)
        .join(Study, Study.id == ProxyRun.study_id)
        .where(Study.project_id == project_id),
        "jobs": select(func.count()).select_from(Job).where(Job.project_id == project_id),
        "keys": select(func.count())
        .select_from(ApiKey)
        .where(ApiKey.project_id == project_id, ApiKey.revoked_at.is_(None)),
    }
    return session.scalar(queries[counted]) or 0
