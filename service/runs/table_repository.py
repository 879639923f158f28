"""Queries for tables and figures of runs: sorted, counted and thinned in the database, however many.

The value of a run is Σ_t c_t L_t over the losses of its result, nats per token: the objective of its study,
or one target. It is computed while rows are read, since another objective may be asked for at any time.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Literal
from uuid import UUID

from sqlalchemy import ColumnElement, Double, Integer, Select, case, cast, func, literal, or_, select
from sqlalchemy.dialects.postgresql import ARRAY, JSONB
from sqlalchemy.orm import Session

from service.models import ProxyRun, RunState, Sweep

Order = Literal["objective", "finished", "state", "run"]
State = Literal["pending", "running", "stale", "completed", "failed", "cancelled", "invalid"]
Purpose = Literal["proxy", "confirmation"]
_CLOSE = 1e-6  # shares that differ by less are one mixture: people write six digits


@dataclass(frozen=True)
class Some:
    """Which runs.

    Args:
        study_id: their study.
        sweep_id: their sweep; None for those of all.
        purpose: of their sweeps; None for any.
        state: where they are; stale is running without a sign of life. None for any.
        words: that their names hold, in any case.
    """

    study_id: UUID
    sweep_id: UUID | None = None
    purpose: Purpose | None = None
    state: State | None = None
    words: str = ""


@dataclass(frozen=True)
class Point:
    """A run in a figure: its mixture (d,) and its value, None where it is not completed."""

    id: UUID
    label: str
    job: str | None
    weights: list[float]
    value: float | None


def rows(
    session: Session,
    some: Some,
    coefficients: Mapping[str, float],
    *,
    order: Order,
    falling: bool,
    limit: int,
    offset: int,
) -> list[tuple[ProxyRun, Sweep, float | None]]:
    """Runs with their values; what is not known comes last in either direction."""
    value = _value(coefficients)
    keys: dict[Order, Any] = {
        "objective": value, "finished": ProxyRun.finished_at, "state": ProxyRun.state, "run": ProxyRun.id,
    }  # fmt: skip
    key = keys[order]
    query = (
        _where(select(ProxyRun, Sweep, value), some)
        .order_by((key.desc() if falling else key.asc()).nulls_last(), ProxyRun.id)
        .limit(limit)
        .offset(offset)
    )
    return [(row[0], row[1], row[2]) for row in session.execute(query)]


def count(session: Session, some: Some) -> int:
    """How many there are."""
    return session.scalar(_where(select(func.count()).select_from(ProxyRun), some)) or 0


def thinned(
    session: Session, some: Some, coefficients: Mapping[str, float], *, most: int
) -> tuple[list[Point], int]:
    """At most so many runs, evenly by their rank, the best first; and how many there are in all."""
    value = _value(coefficients).label("value")
    numbered = _where(
        select(
            ProxyRun.id,
            value,
            (func.row_number().over(order_by=(value.asc().nulls_last(), ProxyRun.id)) - 1).label("at"),
            func.count().over().label("total"),
        ),
        some,
    ).subquery()

    def bucket(place: ColumnElement[int]) -> ColumnElement[int]:
        return cast(func.div(place * (most - 1), numbered.c.total - 1), Integer)

    at, total = numbered.c.at, numbered.c.total
    query = (
        select(ProxyRun.id, ProxyRun.label, ProxyRun.job, ProxyRun.weights, numbered.c.value, total)
        .join(numbered, numbered.c.id == ProxyRun.id)
        .where(or_(total <= most, at == 0, bucket(at) > bucket(at - 1)))
        .order_by(at)
    )
    found = session.execute(query).all()
    return [Point(*row[:5]) for row in found], found[0][5] if found else 0


def measured(session: Session, some: Some, coefficients: Mapping[str, float]) -> list[Point]:
    """All completed runs of some, in order of creation."""
    value = _value(coefficients)
    query = _where(select(ProxyRun.id, ProxyRun.label, ProxyRun.job, ProxyRun.weights, value), some)
    query = query.where(ProxyRun.state == RunState.COMPLETED).order_by(ProxyRun.id)
    return [Point(*row) for row in session.execute(query)]


def at_mixture(
    session: Session, some: Some, coefficients: Mapping[str, float], mixture: Sequence[float]
) -> tuple[int, float | None]:
    """How many completed runs of some have a mixture (d,), and the mean of their values."""
    wanted = literal(list(mixture), ARRAY(Double))
    pair = func.unnest(ProxyRun.weights, wanted).table_valued("has", "wants").render_derived()
    differs = select(literal(1)).select_from(pair).where(func.abs(pair.c.has - pair.c.wants) >= _CLOSE)
    largest = max(range(len(mixture)), key=lambda d: mixture[d])
    query = _where(select(func.count(), func.avg(_value(coefficients))).select_from(ProxyRun), some)
    query = query.where(
        ProxyRun.state == RunState.COMPLETED,
        func.abs(ProxyRun.weights[largest + 1] - mixture[largest]) < _CLOSE,  # which most runs fail at once
        ~differs.correlate(ProxyRun).exists(),
    )
    row = session.execute(query).one()
    return row[0], row[1]


def spans(session: Session, some: Some) -> list[tuple[float, float]]:
    """(d,) smallest and largest share of every domain that some runs have, in the order of the domains."""
    share = func.unnest(ProxyRun.weights).table_valued("share", with_ordinality="at").render_derived()
    query = _where(
        select(share.c.at, func.min(share.c.share), func.max(share.c.share)).select_from(ProxyRun), some
    )
    query = query.join(share, literal(True)).group_by(share.c.at).order_by(share.c.at)
    return [(row[1], row[2]) for row in session.execute(query)]


def of_sweep(session: Session, sweep_id: UUID, run_ids: Sequence[UUID]) -> list[tuple[ProxyRun, Sweep]]:
    """Those of some runs that a sweep has, in the given order."""
    query = select(ProxyRun, Sweep).join(Sweep, Sweep.id == ProxyRun.sweep_id)
    found = session.execute(query.where(ProxyRun.sweep_id == sweep_id, ProxyRun.id.in_(run_ids))).all()
    return sorted(((row[0], row[1]) for row in found), key=lambda row: run_ids.index(row[0].id))


def losses(session: Session, run_ids: Sequence[UUID]) -> dict[UUID, dict[str, float]]:
    """Losses by target, nats per token, of those of some runs that are completed."""
    query = select(ProxyRun.id, ProxyRun.result["losses"]).where(
        ProxyRun.id.in_(run_ids), ProxyRun.state == RunState.COMPLETED
    )
    return {row[0]: row[1] for row in session.execute(query)}


def _value(coefficients: Mapping[str, float]) -> ColumnElement[float]:
    losses = func.jsonb_each_text(ProxyRun.result["losses"]).table_valued("key", "value")
    each = literal({name: c for name, c in coefficients.items() if c > 0}, JSONB)[losses.c.key].astext
    total = select(func.sum(cast(losses.c.value, Double) * cast(each, Double))).select_from(losses)
    summed: ColumnElement[float] = total.correlate(ProxyRun).scalar_subquery()
    return case((ProxyRun.state == RunState.COMPLETED, summed))  # of an invalid run nothing counts


def _where(query: Select[*tuple[Any, ...]], some: Some) -> Select[*tuple[Any, ...]]:
    query = query.join(Sweep, Sweep.id == ProxyRun.sweep_id).where(ProxyRun.study_id == some.study_id)
    if some.sweep_id is not None:
        query = query.where(ProxyRun.sweep_id == some.sweep_id)
    if some.purpose is not None:
        query = query.where(Sweep.purpose == some.purpose)
    if some.words:
        query = query.where(ProxyRun.label.icontains(some.words, autoescape=True))
    expired = ProxyRun.lease_expires_at < func.now()
    if some.state == "stale":
        return query.where(ProxyRun.state == RunState.RUNNING, expired)
    if some.state == "running":
        return query.where(ProxyRun.state == RunState.RUNNING, func.coalesce(expired, False).is_(False))
    return query if some.state is None else query.where(ProxyRun.state == RunState(some.state))
