"""Asking a finished fit about mixtures by hand, and for proposals under bounds."""

from collections.abc import Mapping
from typing import Annotated, Any
from uuid import UUID

import numpy as np
import plotly.graph_objects as go
from fastapi import APIRouter, Request
from fastapi.responses import HTMLResponse
from sqlalchemy.orm import Session

from mixlaws.figures.exploration import exploration
from mixlaws.registry import PROPOSERS
from service.dashboard.parameters import parameters
from service.dashboard.rendering import page
from service.dashboard.runs_table import coefficients
from service.db import SessionDep
from service.errors import InvalidRequestError
from service.fits import exploring, service
from service.fits.exploring import Asked, ExploredOut, ExploreIn
from service.models import TaskState
from service.proposals import service as proposals
from service.scopes import Principal, Scope, needs
from service.studies import service as studies

router = APIRouter()


@router.get("/fits/{fit_id}/explore")
def show_explore(
    fit_id: UUID,
    request: Request,
    session: SessionDep,
    caller: Annotated[Principal, needs(Scope.STUDIES_READ)],
    proposal: UUID | None = None,
) -> HTMLResponse:
    """Sliders for a fit that is done; they begin at the prior, or at the best mixture of a proposal."""
    fit, study = service.get(session, caller.project_id, fit_id)
    shown = service.shown(session, fit, study)
    if fit.state is not TaskState.DONE:
        return page("explore.html", fit=shown, domains=[], asking=None)
    definition = studies.definition(study)
    problem = studies.problem(definition)
    prior = problem.domains.to_mapping(problem.prior)
    uniform = dict.fromkeys(prior, 1 / len(prior))
    chosen = prior if proposal is None else _proposed(session, caller, fit_id, proposal)
    answers = exploring.explored(
        session, caller.project_id, fit_id, [prior, uniform, chosen], _asked(request)
    )
    named = dict(zip(("prior", "uniform", "this mixture"), answers, strict=True))
    targets = definition.targets or []
    return page(
        "explore.html",
        fit=shown,
        domains=[
            {"name": name, "share": chosen[name], "prior": prior[name], "cap": float(cap)}
            for name, cap in zip(prior, problem.caps, strict=True)
        ],
        starts={"prior": prior, "uniform": uniform} | ({"proposal": chosen} if proposal else {}),
        answers=named,
        answer=answers[-1],
        coefficients=coefficients(study),
        figure_of_targets=_figure(targets, named),
        asking=parameters(PROPOSERS) if Scope.STUDIES_WRITE in caller.scopes else None,
    )


@router.post("/fits/{fit_id}/explore")
def explore(
    fit_id: UUID,
    body: ExploreIn,
    request: Request,
    session: SessionDep,
    caller: Annotated[Principal, needs(Scope.STUDIES_READ)],
) -> ExploredOut:
    """What the page's script shows of a mixture while it is moved; nothing is stored."""
    (answer,) = exploring.explored(
        session, caller.project_id, fit_id, [body.mixture], _asked(request), body.objective
    )
    return answer


def _asked(request: Request) -> Asked:
    state = request.app.state
    return Asked(state.predictors, state.surroundings)


def _proposed(session: Session, caller: Principal, fit_id: UUID, proposal_id: UUID) -> Mapping[str, float]:
    found, study = proposals.get(session, caller.project_id, proposal_id)
    answer = proposals.shown(session, found, study)
    if found.fit_id != fit_id or not answer.proposals:
        raise InvalidRequestError(f"proposal {proposal_id} has no mixture of fit {fit_id}")
    return answer.proposals[0].weights


def _figure(targets: list[str], answers: Mapping[str, ExploredOut]) -> go.Figure:
    def told(answer: ExploredOut) -> tuple[Any, Any]:
        said, widths = answer.prediction.predicted, answer.prediction.half_width_95
        predicted = np.array([said[target] for target in targets])
        return predicted, None if widths is None else np.array([widths[target] for target in targets])

    return exploration(targets, {name: told(answer) for name, answer in answers.items()})
