"""Signs of life, without a key: for load balancers and whoever waits for a start."""

from fastapi import APIRouter, Request
from pydantic import Field
from sqlalchemy.exc import SQLAlchemyError

from service import migrate
from service.db import Database
from service.errors import UnavailableError
from service.problem_details import errors
from service.schemas import Answer

router = APIRouter(tags=["health"])


class HealthOut(Answer):
    """A sign of life."""

    status: str = Field(description="ok")


@router.get("/livez")
async def live() -> HealthOut:
    """Whether the process runs."""
    return HealthOut(status="ok")


@router.get("/readyz", responses=errors(UnavailableError))
def ready(request: Request) -> HealthOut:
    """Whether the database answers and has the schema of this version."""
    database: Database = request.app.state.database
    try:
        revision = migrate.current(database.engine)
    except SQLAlchemyError as error:
        raise UnavailableError("the database does not answer", code="database_unavailable") from error
    if revision != migrate.newest():
        raise UnavailableError(f"the database is at revision {revision}: run `mixwright db upgrade`")
    return HealthOut(status="ok")
