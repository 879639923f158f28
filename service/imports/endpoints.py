"""Endpoint of imports."""

from typing import Annotated

from fastapi import APIRouter, Response, status

from service.db import SessionDep
from service.errors import ConflictError, InvalidRequestError, NotFoundError
from service.imports import service
from service.imports.schemas import ImportIn, ImportOut
from service.problem_details import errors
from service.routes import Route, already
from service.scopes import Principal, Scope, needs
from service.studies import service as studies
from service.studies.schemas import StudyName

router = APIRouter(prefix="/v1", tags=["runs"], route_class=Route)


@router.post(
    "/studies/{study}/runs",
    status_code=status.HTTP_201_CREATED,
    responses=already(ImportOut) | errors(NotFoundError, ConflictError, InvalidRequestError),
)
def import_runs(
    study: StudyName,
    body: ImportIn,
    response: Response,
    session: SessionDep,
    caller: Annotated[Principal, needs(Scope.STUDIES_WRITE)],
) -> ImportOut:
    """Store finished runs that were trained elsewhere: all of them or, if one contradicts, none.

    A run that is stored already, with the same fields, counts as a duplicate; if all are, the answer is 200.
    One with other fields answers 409 with both.
    """
    owner = studies.get(session, caller.project_id, study)
    stored = service.store(session, owner, body)
    if not stored.created:
        response.status_code = status.HTTP_200_OK
    return stored
