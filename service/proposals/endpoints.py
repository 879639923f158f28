"""Endpoints of proposals."""

from typing import Annotated

from fastapi import APIRouter, Request, Response, status

from service.db import SessionDep
from service.errors import ConflictError, InvalidCursorError, InvalidRequestError, NotFoundError
from service.pages import PagingById
from service.preferences import PreferEnd, wait_seconds
from service.problem_details import errors
from service.proposals import repository, service
from service.proposals.schemas import ProposalId, ProposalIn, ProposalOut
from service.routes import Route
from service.schemas import Page
from service.scopes import Principal, Scope, needs
from service.studies import service as studies
from service.studies.schemas import StudyName
from service.tasks.waiting import Waiters

router = APIRouter(prefix="/v1", tags=["proposals"], route_class=Route)


@router.post(
    "/studies/{study}/proposals",
    status_code=status.HTTP_202_ACCEPTED,
    responses=errors(NotFoundError, ConflictError, InvalidRequestError),
)
def create_proposal(
    study: StudyName,
    body: ProposalIn,
    response: Response,
    session: SessionDep,
    caller: Annotated[Principal, needs(Scope.STUDIES_WRITE)],
) -> ProposalOut:
    """Search for mixtures in the background."""
    owner = studies.get(session, caller.project_id, study)
    request = service.create(session, owner, body)
    response.headers["Location"] = f"/v1/proposals/{request.id}"
    session.refresh(request)
    return service.shown(session, request, owner)


@router.get("/studies/{study}/proposals", responses=errors(NotFoundError, InvalidCursorError))
def list_proposals(
    study: StudyName,
    session: SessionDep,
    caller: Annotated[Principal, needs(Scope.STUDIES_READ)],
    paging: PagingById,
) -> Page[ProposalOut]:
    """Proposals of a study, newest first."""
    owner = studies.get(session, caller.project_id, study)
    found = repository.page(session, owner.id, paging.wanted)
    return paging.page(found, service.all_shown(session, found.rows, owner))


@router.get("/proposals/{proposal_id}", responses=errors(NotFoundError))
async def get_proposal(
    proposal_id: ProposalId,
    request: Request,
    caller: Annotated[Principal, needs(Scope.STUDIES_READ)],
    prefer: PreferEnd = None,
) -> ProposalOut:
    """A proposal with its mixtures, once it is done."""
    waiters: Waiters = request.app.state.waiters
    return await waiters.ended(
        proposal_id,
        lambda session: service.shown(session, *service.get(session, caller.project_id, proposal_id)),
        wait_seconds(prefer),
    )


@router.post("/proposals/{proposal_id}/cancel", responses=errors(NotFoundError, ConflictError))
def cancel_proposal(
    proposal_id: ProposalId, session: SessionDep, caller: Annotated[Principal, needs(Scope.STUDIES_WRITE)]
) -> ProposalOut:
    """Let a search go that is not done yet; it ends within seconds. Again changes nothing."""
    return service.shown(session, *service.cancel(session, caller.project_id, proposal_id))
