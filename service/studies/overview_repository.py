"""Queries for a look at many studies at once: what each of them reads does not grow with what is stored."""

from collections.abc import Collection, Sequence
from datetime import datetime, timedelta
from typing import Any, NamedTuple
from uuid import UUID

from sqlalchemy import ARRAY, Subquery, Text, and_, bindparam, func, select, true
from sqlalchemy.orm import Session

from service.models import Fit, ProxyRun, RunState, Study, Sweep, TaskState

MOST_COUNTED = 1000  # runs of one state: beyond it nobody on a first page wants to know how many more


class StaleRuns(NamedTuple):
    """Runs of a study that are in training without a sign of life."""

    study: str
    number: int
    since: datetime


class FailedFit(NamedTuple):
    """A fit that failed."""

    id: UUID
    study: str
    method: str
    error: str
    at: datetime


class DoneFit(NamedTuple):
    """A finished fit, to choose it by."""

    id: UUID
    study: str
    method: str
    created_at: datetime


def counts(session: Session, study_ids: Collection[UUID]) -> dict[UUID, dict[str, int]]:
    """Number of runs in each state, by study; none is counted beyond `MOST_COUNTED`.

    A run that is in training without a sign of life is stale, and not running.
    """
    names = bindparam("states", [state.value for state in RunState], ARRAY(Text))
    states = func.unnest(names).table_valued("state").render_derived()
    is_stale = and_(ProxyRun.state == RunState.RUNNING, ProxyRun.lease_expires_at < func.now())
    mine = (
        select(func.coalesce(is_stale, False).label("stale"))
        .where(ProxyRun.study_id == Study.id, ProxyRun.state == states.c.state)
        .limit(MOST_COUNTED)
        .lateral()
    )
    query = (
        select(Study.id, states.c.state, mine.c.stale, func.count())
        .select_from(Study)
        .join(states, true())
        .join(mine, true())
        .where(Study.id.in_(study_ids))
        .group_by(Study.id, states.c.state, mine.c.stale)
    )
    found: dict[UUID, dict[str, int]] = {study_id: {} for study_id in study_ids}
    for study_id, state, stale, count in session.execute(query):
        found[study_id]["stale" if stale else state] = count
    return found


def newest_results(
    session: Session, study_ids: Collection[UUID], limit: int
) -> dict[UUID, list[tuple[str, dict[str, Any]]]]:
    """Labels and losses of the newest completed proxy runs of studies, in order of creation.

    Args:
        session: where they are read.
        study_ids: of the studies.
        limit: most runs of each.
    """
    newest = (
        select(ProxyRun.id, ProxyRun.label, ProxyRun.result["losses"].label("losses"))
        .join(Sweep, Sweep.id == ProxyRun.sweep_id)
        .where(ProxyRun.study_id == Study.id, ProxyRun.state == RunState.COMPLETED, Sweep.purpose == "proxy")
        .order_by(ProxyRun.id.desc())
        .limit(limit)
        .lateral()
    )
    query = select(Study.id, newest.c.label, newest.c.losses).select_from(Study).join(newest, true())
    rows = session.execute(query.where(Study.id.in_(study_ids)).order_by(newest.c.id))
    found: dict[UUID, list[tuple[str, dict[str, Any]]]] = {study_id: [] for study_id in study_ids}
    for study_id, label, losses in rows:
        found[study_id].append((label, losses))
    return found


def stale_runs(session: Session, project_id: UUID, *, studies: int) -> Sequence[StaleRuns]:
    """Runs whose lease has expired, by study, of the newest studies of a project."""
    newest = _newest(project_id, studies)
    stale = (
        select(ProxyRun.lease_expires_at)
        .where(
            ProxyRun.study_id == newest.c.id,
            ProxyRun.state == RunState.RUNNING,
            ProxyRun.lease_expires_at < func.now(),
        )
        .limit(MOST_COUNTED)
        .lateral()
    )
    since = func.min(stale.c.lease_expires_at)
    query = (
        select(newest.c.name, func.count(), since)
        .select_from(newest)
        .join(stale, true())
        .group_by(newest.c.name)
    )
    return [StaleRuns(*row) for row in session.execute(query.order_by(since.desc()))]


def failed_fits(
    session: Session, project_id: UUID, *, studies: int, within: timedelta, limit: int
) -> Sequence[FailedFit]:
    """Fits that failed lately and were not asked for again, of the newest studies, newest first."""
    newest = _newest(project_id, studies)
    query = (
        select(Fit.id, newest.c.name, Fit.method, func.coalesce(Fit.error, ""), Fit.finished_at)
        .join(newest, newest.c.id == Fit.study_id)
        .where(Fit.state == TaskState.FAILED, Fit.finished_at > func.now() - within)
        .order_by(Fit.id.desc())
        .limit(limit)
    )
    return [FailedFit(*row) for row in session.execute(query)]


def done_fits(session: Session, project_id: UUID, *, studies: int, limit: int) -> Sequence[DoneFit]:
    """Finished fits of the newest studies of a project, newest first, without their results."""
    newest = _newest(project_id, studies)
    query = (
        select(Fit.id, newest.c.name, Fit.method, Fit.created_at)
        .join(newest, newest.c.id == Fit.study_id)
        .where(Fit.state == TaskState.DONE)
        .order_by(Fit.id.desc())
        .limit(limit)
    )
    return [DoneFit(*row) for row in session.execute(query)]


def fit_scores(
    session: Session, study_id: UUID, limit: int
) -> Sequence[tuple[UUID, str, dict[str, Any] | None]]:
    """Identifier, method and held-out scores of the objective of a study's newest finished fits."""
    scores = Fit.result["objective_scores"]
    query = select(Fit.id, Fit.method, scores).where(Fit.study_id == study_id, Fit.state == TaskState.DONE)
    return [(row[0], row[1], row[2]) for row in session.execute(query.order_by(Fit.id.desc()).limit(limit))]


def _newest(project_id: UUID, limit: int) -> Subquery:
    query = select(Study.id, Study.name).where(Study.project_id == project_id)
    return query.order_by(Study.id.desc()).limit(limit).subquery("newest")
