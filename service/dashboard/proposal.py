"""A proposal: its mixtures beside the prior and the uniform one, and how far to trust them."""

from typing import Annotated
from uuid import UUID

from fastapi import APIRouter
from fastapi.responses import HTMLResponse

from mixlaws.figures.proposal import proposal
from service.dashboard.rendering import page
from service.db import SessionDep
from service.fits import service as fits
from service.proposals import schedules, service
from service.scopes import Principal, Scope, needs
from service.studies import service as studies

router = APIRouter()


@router.get("/proposals/{proposal_id}")
def show_proposal(
    proposal_id: UUID, session: SessionDep, caller: Annotated[Principal, needs(Scope.STUDIES_READ)]
) -> HTMLResponse:
    """A proposal with its figure, once it is done."""
    request, study = service.get(session, caller.project_id, proposal_id)
    shown = service.shown(session, request, study)
    fit, _ = fits.get(session, caller.project_id, request.fit_id)
    definition = studies.definition(study)
    figure = None
    if shown.proposals:
        names = [domain.name for domain in definition.domains]
        mixtures = {"proposal": shown.proposals[0].weights}
        mixtures |= {name: reference.weights for name, reference in shown.references.items()}
        figure = proposal(names, mixtures)
    return page(
        "proposal.html",
        proposal=shown,
        method=fit.method,
        mixture=figure,
        schedules=schedules.documents(shown.proposals, definition),
        may_queue=Scope.STUDIES_WRITE in caller.scopes,
        may_steer=Scope.JOBS_WRITE in caller.scopes,
    )
