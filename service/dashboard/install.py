"""Where the dashboard joins the application."""

from pathlib import Path

from fastapi import FastAPI
from fastapi.responses import FileResponse
from fastapi.staticfiles import StaticFiles

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
from service.dashboard.drawings import Drawings
from service.dashboard.problem_pages import problem_page
from service.dashboard.pulses import Pulses
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
    app.state.curves, app.state.drawings = Curves(), Drawings()
    app.state.pulses = Pulses(app.state.database)
    app.state.surroundings = Surroundings()
    app.add_api_route("/static/plotly.min.js", _plotly, include_in_schema=False)
    app.mount("/static", StaticFiles(directory=_STATIC), name="static")
    app.state.show_problem = problem_page


async def _plotly() -> FileResponse:
    """The drawing library."""
    return FileResponse(library_path(), media_type="text/javascript", headers={"Cache-Control": _YEAR})
