"""Queries for study files: whole studies, a part at a time."""

from collections.abc import Iterator, Sequence
from itertools import groupby
from operator import itemgetter
from typing import Any, TypeVar
from uuid import UUID

from sqlalchemy import insert, select
from sqlalchemy.orm import Session

from service.models import Fit, Observation, ProposalRequest, ProxyRun, Sweep

_RUNS_AT_ONCE = 200
_ROWS_AT_ONCE = 5000
T = TypeVar("T", Sweep, Fit, ProposalRequest)
Values = list[tuple[int, str, float]]


def freeze(session: Session) -> None:
    """Let everything that is read from now on be of this moment; nothing may have been read before."""
    session.connection(execution_options={"isolation_level": "REPEATABLE READ"})


def all_of(session: Session, table: type[T], study_id: UUID) -> Sequence[T]:
    """Rows of a study in order of creation."""
    return session.scalars(select(table).where(table.study_id == study_id).order_by(table.id)).all()


def fits_one_by_one(session: Session, study_id: UUID) -> Iterator[Fit]:
    """Fits of a study in order of creation; each may hold megabytes."""
    query = select(Fit).where(Fit.study_id == study_id).order_by(Fit.id)
    yield from session.scalars(query.execution_options(yield_per=1))


def runs(session: Session, study_id: UUID) -> Iterator[list[ProxyRun]]:
    """Runs of a study in order of creation, some at a time."""
    query = select(ProxyRun).where(ProxyRun.study_id == study_id).order_by(ProxyRun.id).limit(_RUNS_AT_ONCE)
    found = list(session.scalars(query))
    while found:
        last = found[-1].id
        yield found
        session.expunge_all()
        found = list(session.scalars(query.where(ProxyRun.id > last)))


def observations(session: Session, run_ids: Sequence[UUID]) -> Iterator[tuple[UUID, Values]]:
    """Observations of some runs by step and target: parts of one run each, in the order of the runs."""
    query = (
        select(Observation.run_id, Observation.step, Observation.target, Observation.value)
        .where(Observation.run_id.in_(run_ids))
        .order_by(Observation.run_id, Observation.step, Observation.target.collate("C"))
        .execution_options(yield_per=_ROWS_AT_ONCE)
    )
    for run_id, rows in groupby(session.execute(query), itemgetter(0)):
        part: Values = []
        for row in rows:
            part.append((row[1], row[2], row[3]))
            if len(part) == _ROWS_AT_ONCE:
                yield run_id, part
                part = []
        if part:
            yield run_id, part


def insert_rows(session: Session, table: type[Any], rows: list[dict[str, Any]]) -> None:
    """Store rows of a table at once."""
    if rows:
        session.execute(insert(table), rows)
