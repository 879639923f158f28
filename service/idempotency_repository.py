"""Queries for answers that are kept for repeats."""

from datetime import timedelta
from typing import Any
from uuid import UUID

from sqlalchemy import delete, func, select, tuple_
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.orm import Session

from service.models import KeptAnswer

LIFETIME = timedelta(hours=24)
_SWEPT = 20  # more than one for each that is stored, so that what has expired never piles up


def locked(session: Session, owner_id: UUID, key: str) -> KeptAnswer | None:
    """What a request of this key was answered with; until the transaction ends, nobody else finds out."""
    name = func.hashtextextended(f"{owner_id} {key}", 0)
    session.execute(select(func.pg_advisory_xact_lock(name)))
    query = select(KeptAnswer).where(
        KeptAnswer.owner_id == owner_id,
        KeptAnswer.idempotency_key == key,
        KeptAnswer.expires_at > func.now(),
    )
    return session.scalar(query)


def keep(session: Session, answer: dict[str, Any]) -> None:
    """Store an answer, in place of one that has expired; sweep some others away that have."""
    over = (
        select(KeptAnswer.owner_id, KeptAnswer.idempotency_key)
        .where(KeptAnswer.expires_at <= func.now())
        .order_by(KeptAnswer.expires_at)
        .limit(_SWEPT)
        .with_for_update(skip_locked=True)
    )
    columns = tuple_(KeptAnswer.owner_id, KeptAnswer.idempotency_key)
    session.execute(
        delete(KeptAnswer).where(columns.in_(over)), execution_options={"synchronize_session": False}
    )
    values = {**answer, "expires_at": func.now() + LIFETIME, "created_at": func.clock_timestamp()}
    key = ["owner_id", "idempotency_key"]
    session.execute(
        insert(KeptAnswer).values(**values).on_conflict_do_update(index_elements=key, set_=values)
    )
