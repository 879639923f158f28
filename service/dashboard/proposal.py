"""A proposal: its mixtures beside the prior and the uniform one, and how far to trust them."""

from collections.abc import Mapping
from typing import Annotated
from uuid import UUID

from fastapi import APIRouter, Query
from fastapi.responses import HTMLResponse

from mixlaws.figures.proposal import proposal
from service.dashboard.rendering import page
from service.dashboard.runs_table import coefficients
from service.dashboard.trading import trade
from service.db import SessionDep
from service.fits import service as fits
from service.proposals import schedules, service
from service.proposals.schemas import ProposalOut
from service.schemas import MOST_DOMAINS, Text
from service.scopes import Principal, Scope, needs
from service.studies import service as studies

router = APIRouter()


Chosen = Annotated[list[Text] | None, Query(max_length=MOST_DOMAINS)]


@router.get("/proposals/{proposal_id}")
def show_proposal(
    proposal_id: UUID,
    session: SessionDep,
    caller: Annotated[Principal, needs(Scope.STUDIES_READ)],
    x: Chosen = None,
    y: Chosen = None,
) -> HTMLResponse:
    """A proposal with its figures, once it is done; x and y are targets that are traded."""
    request, study = service.get(session, caller.project_id, proposal_id)
    shown = service.shown(session, request, study)
    fit, _ = fits.get(session, caller.project_id, request.fit_id)
    definition = studies.definition(study)
    figure, traded = None, None
    if shown.proposals:
        names = [domain.name for domain in definition.domains]
        mixtures = {"proposal": shown.proposals[0].weights}
        mixtures |= {name: reference.weights for name, reference in shown.references.items()}
        figure = proposal(names, mixtures)
        traded = trade(shown, _counted(shown, coefficients(study)), x or [], y or [])
    return page(
        "proposal.html",
        proposal=shown,
        method=fit.method,
        mixture=figure,
        traded=traded,
        targets=definition.targets or [],
        schedules=schedules.documents(shown.proposals, definition),
        may_queue=Scope.STUDIES_WRITE in caller.scopes,
        may_steer=Scope.JOBS_WRITE in caller.scopes,
    )


def _counted(shown: ProposalOut, usual: Mapping[str, float]) -> dict[str, float]:
    """Coefficients of the targets in the objective that the proposal is best for."""
    stated = shown.configuration.objective
    return dict(usual) if stated is None else {target: stated.get(target, 0.0) for target in usual}
