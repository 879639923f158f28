"""A study: its domains and runs, what was fitted to them, proposed, and confirmed."""

from collections.abc import Sequence
from typing import Annotated, Any
from uuid import UUID

import numpy as np
import plotly.graph_objects as go
from fastapi import APIRouter
from fastapi.responses import HTMLResponse
from sqlalchemy.orm import Session

from mixlaws.figures.confirmation import confirmation
from mixlaws.figures.mixtures import mixtures
from mixlaws.validation import pooled_deviation
from service.clock_repository import now
from service.dashboard.rendering import page
from service.db import SessionDep
from service.fits import repository as fit_repository
from service.fits import service as fits
from service.jobs import repository as job_repository
from service.jobs import service as jobs
from service.listing import Wanted
from service.models import RunState, Study
from service.proposals import repository as proposal_repository
from service.proposals import service as proposals
from service.runs import repository as run_repository
from service.runs import service as runs
from service.runs.schemas import RunOut
from service.scopes import Principal, Scope, needs
from service.studies import service as studies

router = APIRouter()

_MOST_ROWS = 1000  # of each purpose: many proxy runs must not hide what was confirmed


@router.get("/studies/{study}")
def show_study(
    study: str, session: SessionDep, caller: Annotated[Principal, needs(Scope.STUDIES_READ)]
) -> HTMLResponse:
    """Everything that is known of a study."""
    found = studies.get(session, caller.project_id, study)
    definition = studies.definition(found)
    whole_page: Wanted[UUID] = Wanted(limit=_MOST_ROWS)
    rows = [
        row
        for purpose in ("proxy", "confirmation")
        for row in run_repository.page(session, found.id, whole_page, purpose=purpose).rows
    ]
    moment = now(session)
    shown = [runs.shown((run, sweep, found), moment) for run, sweep in rows]
    objectives = {run.id: _objective(found, run) for run in shown}
    confirmed = _by_mixture([run for run in shown if run.purpose == "confirmation"], objectives)
    names = [domain.name for domain in definition.domains]
    proxies = [run for run in shown if run.purpose == "proxy"]
    fitted = fit_repository.page(session, found.id, whole_page)
    proposed = proposal_repository.page(session, found.id, whole_page)
    return page(
        "study.html",
        study=(whole := studies.shown(session, [found])[0]),
        left_out=sum((whole.runs or {}).values()) - len(shown),
        runs=sorted(shown, key=lambda run: (objectives[run.id] is None, objectives[run.id] or 0.0)),
        objectives=objectives,
        best=_best(proxies, objectives),
        mixtures=_mixtures(names, proxies, objectives) if proxies else None,
        fits=fits.all_shown(session, fitted.rows, found),
        more_fits=fitted.last is not None,
        proposals=proposals.all_shown(session, proposed.rows, found),
        more_proposals=proposed.last is not None,
        methods={fit.id: fit.method for fit in fitted.rows},
        confirmed=confirmed,
        confirmation=_confirmation(found, shown, confirmed),
        jobs=(mine := _jobs(session, caller, study))[:_MOST_ROWS],
        more_jobs=len(mine) > _MOST_ROWS,
    )


def _objective(study: Study, run: RunOut) -> float | None:
    return None if run.result is None else runs.objective(study, run.result["losses"])


def _best(proxies: Sequence[RunOut], objectives: dict[Any, float | None]) -> RunOut | None:
    finished = [run for run in proxies if objectives[run.id] is not None]
    return min(finished, key=lambda run: objectives[run.id] or 0.0, default=None)


def _mixtures(names: list[str], proxies: Sequence[RunOut], objectives: dict[Any, float | None]) -> go.Figure:
    weights = np.array([[run.weights[name] for name in names] for run in proxies])
    values = np.array([np.nan if objectives[run.id] is None else objectives[run.id] for run in proxies])
    return mixtures(names, weights, values)


def _by_mixture(confirmations: list[RunOut], objectives: dict[Any, float | None]) -> dict[str, list[float]]:
    """Objectives of completed confirmations by what they are called, the seed left out."""
    grouped: dict[str, list[float]] = {}
    for run in sorted(confirmations, key=lambda run: run.job is not None):
        value = objectives[run.id]
        if value is not None:
            grouped.setdefault(run.label.rsplit(", seed", 1)[0], []).append(value)
    return grouped


def _confirmation(study: Study, shown: list[RunOut], confirmed: dict[str, list[float]]) -> go.Figure | None:
    if not confirmed:
        return None
    fixed = [
        run
        for run in shown
        if run.purpose == "confirmation"
        and run.state == RunState.COMPLETED
        and run.job is None
        and run.result
    ]
    noise: float | None = None
    if fixed:
        weights = np.array([list(run.weights.values()) for run in fixed])
        values = np.array([[runs.objective(study, run.result["losses"])] for run in fixed if run.result])
        deviation, freedom = pooled_deviation(weights, values)
        noise = float(deviation[0]) if freedom else None
    reference = "natural" if "natural" in confirmed else next(iter(confirmed))
    return confirmation(confirmed, reference=reference, noise=noise)


def _jobs(session: Session, caller: Principal, study: str) -> list[Any]:
    if Scope.JOBS_READ not in caller.scopes:
        return []
    mine = job_repository.of_study(session, caller.project_id, study, _MOST_ROWS + 1)
    return [jobs.shown(session, job) for job in mine]
