"""A live job: its weights over the steps and its losses, as they come in."""

from typing import Annotated, Any

import numpy as np
import plotly.graph_objects as go
from fastapi import APIRouter, Request
from fastapi.responses import HTMLResponse
from sqlalchemy.orm import Session
from starlette.types import ASGIApp

from mixlaws.figures.losses import losses
from mixlaws.figures.schedule import schedule
from service.callers import Callers
from service.dashboard.rendering import figure_data, fragment, page
from service.db import SessionDep
from service.jobs import auditing, repository, service
from service.jobs.board import Board
from service.jobs.following import EventStream
from service.jobs.notices import Entry
from service.listing import Wanted
from service.models import Job
from service.scopes import Principal, Scope, needs

router = APIRouter()

_MOST_VERSIONS = 20
_MOST_EVENTS = 10
_PARTS = ("hold", "domains", "audit")  # of the page that its script renews, by their templates
_COUNTERS = (
    "version",
    "attempt",
    "versions_published",
    "versions_applied",
    "versions_too_late",
    "reports_accepted",
    "reports_late",
    "reports_duplicate",
    "reported_step",
)


@router.get("/jobs/{job}")
def show_job(
    job: str, session: SessionDep, caller: Annotated[Principal, needs(Scope.JOBS_READ)]
) -> HTMLResponse:
    """A job with its figures; the page's script keeps them up to date."""
    found = service.get(session, caller.project_id, job)
    weights, training = _figures(session, found)
    newest = repository.stages(session, found.id, Wanted(limit=_MOST_VERSIONS), newest_first=True)
    return page(
        "job.html",
        **_parts(session, found),
        counters=_COUNTERS,
        weights=weights,
        losses=training,
        versions=service.versions(found, newest.rows),
        attempts=repository.attempts(session, found.id),
    )


@router.get("/jobs/{job}/live")
def live_state(
    job: str, session: SessionDep, caller: Annotated[Principal, needs(Scope.JOBS_READ)]
) -> dict[str, Any]:
    """What the page's script needs to draw the job as it is now."""
    found = service.get(session, caller.project_id, job)
    weights, training = _figures(session, found)
    parts = _parts(session, found)
    return {
        "figures": {"weights": figure_data(weights), "losses": figure_data(training)},
        "counters": {name: getattr(parts["job"], name) for name in _COUNTERS},
        "parts": {name: fragment(f"job_{name}.html", **parts) for name in _PARTS},
    }


@router.get("/jobs/{job}/events", response_model=None)
async def job_events(
    job: str, request: Request, caller: Annotated[Principal, needs(Scope.JOBS_READ)]
) -> ASGIApp:
    """An event for every new version of the schedule."""
    board: Board = request.app.state.board
    callers: Callers = request.app.state.callers
    first = await board.get(caller.project_id, job)

    def event(entry: Entry) -> bytes:
        return b"event: version\ndata: %s\n\n" % entry.etag.encode()

    return EventStream(board, caller.project_id, job, first.etag, callers.presence.held(caller), event=event)


def _parts(session: Session, job: Job) -> dict[str, Any]:
    """What the parts of the page tell, all of it read at once."""
    return {
        "job": service.shown(session, job),
        "domains": auditing.domains(session, job),
        "audit": auditing.audit(session, job, Wanted(limit=_MOST_EVENTS), versions=False).rows,
    }


def _figures(session: Session, job: Job) -> tuple[go.Figure, go.Figure]:
    names = [domain["name"] for domain in job.definition["domains"]]
    stages = repository.active_stages(session, job.id)
    weights = schedule(
        names,
        [stage.effective_step for stage in stages],
        np.array([stage.weights for stage in stages]),
        end=max(job.reported_step, stages[-1].effective_step) + int(job.definition["lead_steps"]),
        reported=job.reported_step,
    )
    reported = repository.losses(session, job.id)
    sums = np.array([sums for _, sums, _ in reported], dtype=np.float64)  # what was not finite becomes NaN
    tokens = np.array([tokens for _, _, tokens in reported], dtype=np.float64)
    training = losses(names, [step for step, _, _ in reported], sums, tokens)
    return weights, training
