"""Endpoints of fits."""

from typing import Annotated

from fastapi import APIRouter, Request, Response, status

from service.db import SessionDep
from service.errors import ConflictError, InvalidCursorError, InvalidRequestError, NotFoundError
from service.fits import prediction, repository, service
from service.fits.schemas import FitId, FitIn, FitOut, PredictIn, PredictionsOut
from service.pages import PagingById
from service.preferences import PreferEnd, wait_seconds
from service.problem_details import errors
from service.routes import Route, already
from service.schemas import Page
from service.scopes import Principal, Scope, needs
from service.studies import service as studies
from service.studies.schemas import StudyName
from service.tasks.waiting import Waiters

router = APIRouter(prefix="/v1", tags=["fits"], route_class=Route)


@router.post(
    "/studies/{study}/fits",
    status_code=status.HTTP_202_ACCEPTED,
    responses=already(FitOut) | errors(NotFoundError, InvalidRequestError),
)
def create_fit(
    study: StudyName,
    body: FitIn,
    response: Response,
    session: SessionDep,
    caller: Annotated[Principal, needs(Scope.STUDIES_WRITE)],
) -> FitOut:
    """Fit the finished runs in the background. The same fit of the same runs is made once: 200 then.

    One that failed or was cancelled is queued again.
    """
    owner = studies.get(session, caller.project_id, study)
    fit, created = service.create(session, owner, body)
    if not created:
        response.status_code = status.HTTP_200_OK
    response.headers["Location"] = f"/v1/fits/{fit.id}"
    return service.shown(session, fit, owner)


@router.get("/studies/{study}/fits", responses=errors(NotFoundError, InvalidCursorError))
def list_fits(
    study: StudyName,
    session: SessionDep,
    caller: Annotated[Principal, needs(Scope.STUDIES_READ)],
    paging: PagingById,
) -> Page[FitOut]:
    """Fits of a study, newest first."""
    owner = studies.get(session, caller.project_id, study)
    found = repository.page(session, owner.id, paging.wanted)
    return paging.page(found, service.all_shown(session, found.rows, owner))


@router.get("/fits/{fit_id}", responses=errors(NotFoundError))
async def get_fit(
    fit_id: FitId,
    request: Request,
    caller: Annotated[Principal, needs(Scope.STUDIES_READ)],
    prefer: PreferEnd = None,
) -> FitOut:
    """A fit with its scores, once it is done."""
    waiters: Waiters = request.app.state.waiters
    return await waiters.ended(
        fit_id,
        lambda session: service.shown(session, *service.get(session, caller.project_id, fit_id)),
        wait_seconds(prefer),
    )


@router.post("/fits/{fit_id}/cancel", responses=errors(NotFoundError, ConflictError))
def cancel_fit(
    fit_id: FitId, session: SessionDep, caller: Annotated[Principal, needs(Scope.STUDIES_WRITE)]
) -> FitOut:
    """Let a fit go that is not done yet; its computation ends within seconds. Again changes nothing."""
    return service.shown(session, *service.cancel(session, caller.project_id, fit_id))


@router.post("/fits/{fit_id}/predict", responses=errors(NotFoundError, ConflictError, InvalidRequestError))
def predict_mixtures(
    fit_id: FitId,
    body: PredictIn,
    request: Request,
    session: SessionDep,
    caller: Annotated[Principal, needs(Scope.STUDIES_READ)],
) -> PredictionsOut:
    """Ask a finished fit about mixtures, at once."""
    predictors: prediction.Predictors = request.app.state.predictors
    return prediction.predict(session, caller.project_id, fit_id, body, predictors)
