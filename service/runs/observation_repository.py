"""Queries for observations."""

from collections.abc import Collection, Sequence
from uuid import UUID

from sqlalchemy import ColumnElement, Integer, cast, delete, func, insert, or_, select, tuple_
from sqlalchemy.orm import Session

from service.models import Observation
from service.runs.schemas import ObservationBody


def stored(session: Session, run_id: UUID, steps: Collection[int]) -> dict[tuple[int, str], float]:
    """Values of some steps of a run, by step and target."""
    query = select(Observation.step, Observation.target, Observation.value).where(
        Observation.run_id == run_id, Observation.step.in_(steps)
    )
    return {(row[0], row[1]): row[2] for row in session.execute(query)}


def insert_all(session: Session, run_id: UUID, items: Sequence[ObservationBody]) -> None:
    """Store new observations of a run."""
    if items:
        session.execute(insert(Observation), [{"run_id": run_id, **item.model_dump()} for item in items])


def forget(session: Session, run_ids: Collection[UUID]) -> None:
    """Drop all observations of some runs."""
    if run_ids:
        session.execute(delete(Observation).where(Observation.run_id.in_(run_ids)))


def count(session: Session, run_id: UUID, target: str | None) -> int:
    """Number of observations of a run, or of one of its targets."""
    return session.scalar(select(func.count()).where(*_of(run_id, target))) or 0


def page(
    session: Session, run_id: UUID, *, target: str | None, after: tuple[int, str] | None, limit: int
) -> Sequence[Observation]:
    """Observations of a run in the order of steps and targets, from after a place."""
    query = select(Observation).where(*_of(run_id, target)).order_by(Observation.step, Observation.target)
    if after is not None:
        query = query.where(tuple_(Observation.step, Observation.target) > after)
    return session.scalars(query.limit(limit)).all()


def thinned(
    session: Session, run_id: UUID, *, target: str | None, points: int
) -> list[tuple[int, str, float]]:
    """At most `points` observations of each target, evenly over its own, the first and the last included."""
    numbered = (
        select(
            Observation.step,
            Observation.target,
            Observation.value,
            (func.row_number().over(partition_by=Observation.target, order_by=Observation.step) - 1).label(
                "at"
            ),
            func.count().over(partition_by=Observation.target).label("total"),
        )
        .where(*_of(run_id, target))
        .subquery()
    )

    def bucket(place: ColumnElement[int]) -> ColumnElement[int]:
        return cast(func.div(place * (points - 1), numbered.c.total - 1), Integer)

    kept = or_(
        numbered.c.at == 0, numbered.c.total <= points, bucket(numbered.c.at) > bucket(numbered.c.at - 1)
    )
    query = select(numbered.c.step, numbered.c.target, numbered.c.value).where(kept)
    rows = session.execute(query.order_by(numbered.c.step, numbered.c.target))
    return [(row[0], row[1], row[2]) for row in rows]


def _of(run_id: UUID, target: str | None) -> list[ColumnElement[bool]]:
    return [Observation.run_id == run_id, *([] if target is None else [Observation.target == target])]
