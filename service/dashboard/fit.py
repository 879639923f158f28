"""A fit: what it is worth beside others of the same runs, where it errs, and what it says of each domain."""

from collections.abc import Sequence
from typing import Annotated
from uuid import UUID

import numpy as np
from fastapi import APIRouter, Query, Request
from fastapi.responses import HTMLResponse
from sqlalchemy.orm import Session

from mixlaws.arrays import FloatArray, IntArray
from mixlaws.auto.score_table import score_table
from mixlaws.fit_verdict import fit_verdict
from mixlaws.swarm import mixture_numbers, target_coefficients
from service.dashboard.fit_figures import MOST_TARGETS, Told, predicted_figures, told_figures
from service.dashboard.rendering import page
from service.db import SessionDep
from service.errors import ConflictError
from service.fits import comparison, scales, service
from service.fits.findings import MOST_RESPONSES, Findings, findings
from service.fits.prediction import Predictors
from service.models import Fit, Study
from service.runs import repository as runs
from service.scopes import Principal, Scope, needs
from service.studies import service as studies

router = APIRouter()
Names = Annotated[list[str], Query(max_length=1000)]


@router.get("/fits/{fit_id}")
def show_fit(
    fit_id: UUID,
    request: Request,
    session: SessionDep,
    caller: Annotated[Principal, needs(Scope.STUDIES_READ)],
    domain: Names = [],  # noqa: B006 - never changed
    target: Names = [],  # noqa: B006 - the same
) -> HTMLResponse:
    """A fit with its figures, once it is done; `domain` and `target` choose what is drawn of many."""
    fit, study = service.get(session, caller.project_id, fit_id)
    shown = service.shown(session, fit, study)
    if fit.result is None:
        return page("fit.html", fit=shown, verdict=None, members=None, drawn=None)
    definition = studies.definition(study)
    domains, targets = [one.name for one in definition.domains], definition.targets or []
    coefficients = target_coefficients(targets, definition.objective or {})
    measured = np.array(fit.result["measured"])
    weights, mixtures = _mixtures(session, fit, study)
    rivals = comparison.rivals(
        session, fit, study, measured=measured, coefficients=coefficients, mixtures=mixtures
    )
    own = next(rival for rival in rivals if rival.own)
    only = [name for name in targets if name in target][:MOST_TARGETS] or _worst(fit, targets)
    asked = [at for at, name in enumerate(domains) if name in domain]
    found, told, problem = _told(
        fit, request.app.state.predictors, weights, measured, coefficients, asked, domains, targets
    )
    return page(
        "fit.html",
        fit=shown,
        verdict=fit_verdict(
            fit.method,
            runs=len(measured),
            spearman=own.spearman,
            mae=own.mae or 0.0,
            intervals=own.intervals,
            noise=fit.result["noise"]["objective"],
        ),
        members=score_table(shown.table) if shown.table else None,
        rivals=rivals,
        most_rivals=comparison.MOST,
        drawn=predicted_figures(
            fit.result,
            coefficients,
            targets=targets,
            only=only,
            labels=lambda rows: runs.labels(session, [UUID(fit.run_ids[row]) for row in rows]),
        ),
        fidelity=None if found is None else found.fidelity,
        told=told,
        problem=problem,
        domains=domains,
        targets=targets,
        only=only,
        most_responses=MOST_RESPONSES,
        most_targets=MOST_TARGETS,
    )


def _mixtures(session: Session, fit: Fit, study: Study) -> tuple[FloatArray | None, IntArray | None]:
    """(n, d) mixtures of the runs, and their numbers; None where runs are gone.

    The numbers are None for runs of several scales too: their scores are means over scales.
    """
    rows = service.mixed(session, fit, study)
    if len(rows) != len(fit.run_ids) or not rows:
        return None, None
    weights = np.array([row.weights for row in rows])
    return weights, None if scales.differ(rows) else mixture_numbers(weights)


def _told(
    fit: Fit,
    predictors: Predictors,
    weights: FloatArray | None,
    measured: FloatArray,
    coefficients: FloatArray,
    asked: Sequence[int],
    domains: Sequence[str],
    targets: Sequence[str],
) -> tuple[Findings | None, Told | None, str]:
    """What the fit says of its domains, or why it says nothing."""
    if weights is None:
        return None, None, "Some of the runs that this fit saw are gone: ask for a new fit."
    try:
        found = findings(fit, predictors, weights, measured, coefficients, domains=asked)
    except ConflictError as error:
        return None, None, error.detail
    return found, told_figures(found, weights, domains=domains, targets=targets), ""


def _worst(fit: Fit, targets: Sequence[str]) -> list[str]:
    """The targets that were predicted worst, in the order of all."""
    scores = (fit.result or {})["scores"]
    order = sorted(targets, key=lambda name: scores.get(name, {}).get("spearman") or 0.0)[:MOST_TARGETS]
    return [name for name in targets if name in order]
