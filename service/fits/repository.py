"""Queries for fits."""

from collections.abc import Collection
from typing import Any, NamedTuple
from uuid import UUID

from sqlalchemy import Text, cast, func, select, type_coerce
from sqlalchemy.dialects.postgresql import ARRAY, JSONB, insert
from sqlalchemy.orm import Session, defer

from service import pages_repository
from service.ids import new_id
from service.listing import Found, Wanted
from service.models import Fit, Study, TaskState


class Scored(NamedTuple):
    """A finished fit, as far as a comparison needs it.

    scores: of the objective, by name.
    """

    id: UUID
    method: str
    configuration: dict[str, Any]
    scores: dict[str, float | None] | None
    seconds: float | None


def by_id(session: Session, project_id: UUID | None, fit_id: UUID) -> tuple[Fit, Study] | None:
    """A fit with its study, if the project owns it."""
    row = session.execute(
        select(Fit, Study)
        .join(Study, Study.id == Fit.study_id)
        .where(Fit.id == fit_id, Study.project_id == project_id)
    ).first()
    return None if row is None else (row[0], row[1])


def by_id_without_result(session: Session, project_id: UUID, fit_id: UUID) -> tuple[Fit, Study] | None:
    """The same, with a result that is read once it is asked for: it may hold megabytes."""
    row = session.execute(
        select(Fit, Study)
        .join(Study, Study.id == Fit.study_id)
        .where(Fit.id == fit_id, Study.project_id == project_id)
        .options(defer(Fit.result))
    ).first()
    return None if row is None else (row[0], row[1])


def locked(session: Session, fit_id: UUID) -> Fit | None:
    """A fit as it is now, for whoever changes its state."""
    query = select(Fit).where(Fit.id == fit_id).with_for_update()
    return session.scalar(query.execution_options(populate_existing=True))


def page(session: Session, study_id: UUID, wanted: Wanted[UUID]) -> Found[Fit, UUID]:
    """Fits of a study, newest first, with results that are read once they are asked for."""
    query = select(Fit).where(Fit.study_id == study_id).options(defer(Fit.result))
    return pages_repository.page(session, query, Fit.id, wanted, newest_first=True)


def by_ids_without_results(session: Session, fit_ids: Collection[UUID]) -> dict[UUID, Fit]:
    """Some fits, with results that are read once they are asked for."""
    query = select(Fit).where(Fit.id.in_(fit_ids)).options(defer(Fit.result))
    return {fit.id: fit for fit in session.scalars(query)}


def findings(session: Session, fit_ids: Collection[UUID]) -> dict[UUID, dict[str, Any]]:
    """What results of fits say in short: without the values of every run, and the predictor."""
    long = cast(["measured", "predicted", "deviation", "predictor"], ARRAY(Text))
    short = type_coerce(Fit.result.op("-")(long), JSONB[dict[str, Any]]())
    query = select(Fit.id, short).where(Fit.id.in_(fit_ids), Fit.result.is_not(None))
    return {row[0]: row[1] for row in session.execute(query)}


def done_on(session: Session, study_id: UUID, data_digest: str) -> list[Fit]:
    """Finished fits of the same runs, best method configurations last asked for first."""
    query = select(Fit).where(
        Fit.study_id == study_id, Fit.data_digest == data_digest, Fit.state == TaskState.DONE
    )
    return list(session.scalars(query.order_by(Fit.id.desc())))


def scores_on(session: Session, study_id: UUID, data_digest: str, limit: int) -> list[Scored]:
    """Finished fits of the same runs with their scores, newest first, and nothing else that they found."""
    query = (
        select(Fit.id, Fit.method, Fit.configuration, Fit.result["objective_scores"], Fit.result["seconds"])
        .where(Fit.study_id == study_id, Fit.data_digest == data_digest, Fit.state == TaskState.DONE)
        .order_by(Fit.id.desc())
        .limit(limit)
    )
    return [Scored(*row) for row in session.execute(query)]


def predicted(session: Session, fit_ids: Collection[UUID]) -> dict[UUID, list[list[float]]]:
    """Held-out predictions of fits, (n, t), without the rest of what they found."""
    query = select(Fit.id, Fit.result["predicted"]).where(Fit.id.in_(fit_ids))
    return {row[0]: row[1] for row in session.execute(query)}


def insert_or_get(session: Session, fit: dict[str, object]) -> tuple[Fit, bool]:
    """The fit of this study, data and configuration, and whether it is new.

    Two callers at once get one fit: the unique constraint decides which of them made it.
    """
    key = ("study_id", "data_digest", "configuration_digest")
    made = session.execute(
        insert(Fit)
        .values(id=new_id(), created_at=func.clock_timestamp(), **fit)
        .on_conflict_do_nothing(index_elements=list(key))
        .returning(Fit.id)
    ).first()
    conditions = [getattr(Fit, name) == fit[name] for name in key]
    found = session.scalars(select(Fit).where(*conditions)).one()
    return found, made is not None
