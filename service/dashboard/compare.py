"""Studies, fits or jobs side by side, as a form of checkboxes chose them."""

from collections.abc import Sequence
from itertools import accumulate
from typing import Annotated, Any
from uuid import UUID

import numpy as np
import plotly.graph_objects as go
from fastapi import APIRouter, Query
from fastapi.responses import HTMLResponse
from sqlalchemy.orm import Session

from mixlaws.figures.comparison import DASHES, Course, best_so_far, losses_of_jobs, weights_of_jobs
from service.dashboard import overview
from service.dashboard.rendering import page
from service.db import SessionDep
from service.errors import InvalidRequestError
from service.fits import service as fits
from service.fits.schemas import FitOut
from service.jobs import overview_repository as job_overview
from service.jobs import repository as job_repository
from service.jobs import service as jobs
from service.jobs.schedules import named
from service.listing import Wanted
from service.models import Job, Study
from service.schemas import Text
from service.scopes import Principal, Scope, needs
from service.studies import overview_repository, repository
from service.studies import service as studies

router = APIRouter()

MOST = len(DASHES)  # things side by side: more cannot be told apart
_MOST_OFFERED = 50  # of each kind, the newest
_MOST_STUDIES = 100  # whose fits are offered
_MOST_RESULTS = 1000  # finished runs of a study, the newest
_MOST_FITS = 20  # of a study, the newest
_POINTS = 200  # along a job

Names = Annotated[list[Text] | None, Query(max_length=100)]


@router.get("/compare")
def compare(
    session: SessionDep,
    caller: Annotated[Principal, needs(Scope.STUDIES_READ)],
    study: Names = None,
    fit: Annotated[list[UUID] | None, Query(max_length=100)] = None,
    job: Names = None,
) -> HTMLResponse:
    """What was chosen, side by side, above the form that chooses."""
    if job:
        caller.require(Scope.JOBS_READ)
    project = caller.project_id
    chosen_studies = [studies.get(session, project, name) for name in _few("studies", study)]
    chosen_fits = [fits.get(session, project, fit_id) for fit_id in _few("fits", fit)]
    chosen_jobs = [jobs.get(session, project, name) for name in _few("jobs", job)]
    return page(
        "compare.html",
        most=MOST,
        **_offered(session, caller),
        chosen={"study": study or [], "fit": fit or [], "job": job or []},
        studies=_studies(session, chosen_studies) if chosen_studies else None,
        fits=_fits([fits.shown(session, *found) for found in chosen_fits]) if chosen_fits else None,
        jobs=_jobs(session, chosen_jobs) if chosen_jobs else None,
    )


def _few(what: str, chosen: Sequence[Any] | None) -> list[Any]:
    """What was chosen, each once.

    Raises:
        InvalidRequestError: it is more than can be told apart.
    """
    each = list(dict.fromkeys(chosen or []))
    if len(each) > MOST:
        raise InvalidRequestError(f"{len(each)} {what}: choose at most {MOST} to see them side by side")
    return each


def _offered(session: Session, caller: Principal) -> dict[str, Any]:
    """What the form offers to choose from, newest first."""
    wanted: Wanted[UUID] = Wanted(limit=_MOST_OFFERED)
    project, sees_jobs = caller.project_id, Scope.JOBS_READ in caller.scopes
    newest_jobs = job_repository.page(session, project, wanted).rows if sees_jobs else []
    return {
        "offered_studies": [row.name for row in repository.page(session, project, wanted).rows],
        "offered_fits": overview_repository.done_fits(
            session, project, studies=_MOST_STUDIES, limit=_MOST_OFFERED
        ),
        "offered_jobs": [row.name for row in newest_jobs],
    }


def _studies(session: Session, chosen: Sequence[Study]) -> dict[str, Any]:
    ids = [row.id for row in chosen]
    counted = overview_repository.counts(session, ids)
    results = overview_repository.newest_results(session, ids, _MOST_RESULTS)
    columns: list[dict[str, Any]] = []
    lines = {}
    for row in chosen:
        values = overview.objectives(row, [losses for _, losses in results[row.id]])
        best = int(np.argmin(values)) if values else None
        scored = [
            (fit_id, method, scores)
            for fit_id, method, scores in overview_repository.fit_scores(session, row.id, _MOST_FITS)
            if scores is not None and scores["r2"] is not None
        ]
        columns.append(
            {
                "name": row.name,
                "definition": studies.definition(row),
                "runs": counted[row.id],
                "best": None if best is None else values[best],
                "label": "" if best is None else results[row.id][best][0],
                "fit": max(scored, key=lambda scored_fit: scored_fit[2]["r2"], default=None),
            }
        )
        lines[row.name] = list(accumulate(values, min))
    first = columns[0]["definition"]
    return {
        "columns": columns,
        "same": all(c["definition"].objective == first.objective for c in columns),
        "figure": best_so_far(lines) if any(lines.values()) else None,
        "most_results": _MOST_RESULTS,
    }


def _fits(shown: Sequence[FitOut]) -> dict[str, Any]:
    targets = dict.fromkeys(target for fit in shown for target in fit.scores or {})
    return {"columns": shown, "targets": list(targets)}


def _jobs(session: Session, chosen: Sequence[Job]) -> dict[str, Any]:
    stages = job_overview.stages_along(session, chosen, _POINTS)
    reported = job_overview.losses_along(session, chosen, _POINTS)
    courses = {}
    for job in chosen:
        names = [domain["name"] for domain in job.definition["domains"]]
        along = stages[job.id]
        weights = np.array([list(named(names, stage.weights).values()) for stage in along])
        end = max(job.reported_step, along[-1].effective_step)
        courses[job.name] = Course(names, [stage.effective_step for stage in along], weights, end)
    losses = {job.name: overview.mean_losses(reported[job.id]) for job in chosen}
    figure: go.Figure | None = losses_of_jobs(losses) if any(losses.values()) else None
    return {
        "columns": [(row, losses[row.name]) for row in jobs.all_shown(session, chosen)],
        "weights": weights_of_jobs(courses),
        "losses": figure,
    }
