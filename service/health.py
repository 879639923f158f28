"""Signs of life, without a key: for load balancers and whoever waits for a start."""

from fastapi import APIRouter, Request
from pydantic import Field
from sqlalchemy.exc import SQLAlchemyError

from service.errors import UnavailableError
from service.observing.vitals import LOOK_SECONDS, Vitals
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


# Async, and with connections of its own: it must not wait for threads or connections that requests hold.
@router.get("/readyz", responses=errors(UnavailableError))
async def ready(request: Request) -> HealthOut:
    """Whether the database answers, takes writes and has the schema, and all parts of the process work."""
    state = request.app.state
    vitals: Vitals = state.vitals
    try:
        revision, behind = await vitals.schema()
    except SQLAlchemyError as error:
        raise UnavailableError(
            f"the database does not answer within {LOOK_SECONDS:.0f} seconds: see that it runs and takes "
            "connections",
            code="database_unavailable",
        ) from error
    if behind:
        raise UnavailableError(f"the database is at revision {revision}: run `mixwright db upgrade`")
    if state.database.refuses_writes or state.live.refuses_writes:
        raise UnavailableError("the database refused a write a moment ago: look at its disk and its rights")
    if state.board.closing.is_set():
        raise UnavailableError("this process ends: ask another", code="ending")
    if state.beside.failed:
        failed = ", ".join(sorted(state.beside.failed))
        raise UnavailableError(f"{failed} ended and is started again: the log says why", code="part_failed")
    return HealthOut(status="ok")
