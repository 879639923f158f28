"""Where the dashboard joins the application."""

from pathlib import Path

from fastapi import FastAPI, Request
from fastapi.responses import FileResponse, Response
from fastapi.staticfiles import StaticFiles
from starlette.exceptions import HTTPException

from service import problem_details
from service.dashboard import (
    audit,
    compare,
    explore,
    fit,
    home,
    job,
    keys,
    login,
    notes,
    problems,
    proposal,
    study,
    sweep,
)
from service.dashboard.drawing_library import library_path
from service.dashboard.rendering import error_page
from service.errors import ServiceError
from service.fits.exploring import Surroundings
from service.jobs.curves import Curves

DIRECT = (job.job_events,)
_STATIC = Path(__file__).parent / "static"
_YEAR = "public, max-age=31536000, immutable"


def install(app: FastAPI) -> None:
    """Add pages and static files, and show errors of pages as pages."""
    for page in (
        login, home, study, notes, sweep, fit, explore, proposal, job, compare, keys, audit, problems,
    ):  # fmt: skip
        app.include_router(page.router, include_in_schema=False)
    app.state.curves = Curves()
    app.state.surroundings = Surroundings()
    app.add_api_route("/static/plotly.min.js", _plotly, include_in_schema=False)
    app.mount("/static", StaticFiles(directory=_STATIC), name="static")
    app.add_exception_handler(ServiceError, _service_error)  # type: ignore[arg-type]
    app.add_exception_handler(HTTPException, _http_error)  # type: ignore[arg-type]


async def _plotly() -> FileResponse:
    """The drawing library."""
    return FileResponse(library_path(), media_type="text/javascript", headers={"Cache-Control": _YEAR})


def _service_error(request: Request, error: ServiceError) -> Response:
    if _wants_page(request):
        return error_page(error.status, error.title, error.detail)
    return problem_details.service_error(request, error)


def _http_error(request: Request, error: HTTPException) -> Response:
    if _wants_page(request):
        return error_page(error.status_code, str(error.detail), f"{request.url.path} cannot be shown.")
    return problem_details.http_error(request, error)


def _wants_page(request: Request) -> bool:
    return not request.url.path.startswith("/v1/") and "text/html" in request.headers.get("accept", "")
