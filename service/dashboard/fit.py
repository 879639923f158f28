"""A fit: held-out scores, and predicted against measured values."""

from typing import Annotated
from uuid import UUID

import numpy as np
from fastapi import APIRouter
from fastapi.responses import HTMLResponse

from mixlaws.auto.score_table import score_table
from mixlaws.figures.prediction import objective_prediction, prediction
from mixlaws.swarm import target_coefficients
from service.dashboard.rendering import page
from service.db import SessionDep
from service.fits import service
from service.runs import repository as runs
from service.scopes import Principal, Scope, needs
from service.studies import service as studies

router = APIRouter()


@router.get("/fits/{fit_id}")
def show_fit(
    fit_id: UUID, session: SessionDep, caller: Annotated[Principal, needs(Scope.STUDIES_READ)]
) -> HTMLResponse:
    """A fit with its figures, once it is done."""
    fit, study = service.get(session, caller.project_id, fit_id)
    shown = service.shown(session, fit, study)
    if fit.result is None:
        return page("fit.html", fit=shown, members=None, targets=None, objective=None)
    definition = studies.definition(study)
    targets = definition.targets or []
    coefficients = target_coefficients(targets, definition.objective or {})
    measured, predicted = np.array(fit.result["measured"]), np.array(fit.result["predicted"])
    labels = runs.labels(session, [UUID(run_id) for run_id in fit.run_ids])
    return page(
        "fit.html",
        fit=shown,
        members=score_table(shown.table) if shown.table else None,
        targets=prediction(targets, measured, predicted, labels=labels),
        objective=objective_prediction(
            measured @ coefficients,
            predicted @ coefficients,
            noise=fit.result["noise"]["objective"],
            labels=labels,
        ),
    )
