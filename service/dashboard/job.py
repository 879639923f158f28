"""A live job: its weights over the steps and its losses, as they come in."""

import json
from collections.abc import Mapping
from typing import Annotated, Any

import plotly.graph_objects as go
from fastapi import APIRouter, Request, Response
from fastapi.responses import HTMLResponse
from sqlalchemy.orm import Session
from starlette.types import ASGIApp

from service.callers import Callers
from service.dashboard import job_figures, job_words
from service.dashboard.drawings import Drawings
from service.dashboard.pulses import LOOK_SECONDS, Listener
from service.dashboard.rendering import fragment, page
from service.db import SessionDep
from service.jobs import auditing, overview_repository, repository, service, trainer
from service.jobs.board import Board
from service.jobs.curves import Curves
from service.jobs.following import EventStream
from service.jobs.notices import Entry
from service.jobs.schedules import named
from service.listing import Wanted
from service.models import Job
from service.scopes import Principal, Scope, needs

router = APIRouter()

_MOST_VERSIONS = 20
_MOST_EVENTS = 10
_MOST_ATTEMPTS = 20
# Of the page, renewed by its script, by their templates.
_PARTS = ("hold", "orders", "trainer", "domains", "policy", "versions", "attempts", "audit")
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
    """A job; the page's script fetches the figures that take long, and keeps all of it up to date."""
    told = _told(session, service.get(session, caller.project_id, job), caller)
    return page("job.html", **told, counters=_COUNTERS, shares=job_figures.of_shares(told["domains"]))


@router.get("/jobs/{job}/live")
def live_state(
    job: str, session: SessionDep, caller: Annotated[Principal, needs(Scope.JOBS_READ)]
) -> dict[str, Any]:
    """What the page's script needs to tell the job as it is now."""
    found = service.get(session, caller.project_id, job)
    pulse, told = overview_repository.pulse_of(found), _told(session, found, caller)
    return {
        "pulse": pulse,
        "counters": {name: getattr(told["job"], name) for name in _COUNTERS},
        "parts": {name: fragment(f"job_{name}.html", **told) for name in _PARTS},
    }


@router.get("/jobs/{job}/figures")
def live_figures(
    job: str, request: Request, session: SessionDep, caller: Annotated[Principal, needs(Scope.JOBS_READ)]
) -> Response:
    """The figures of the job as it is now, which the page asks for after the rest: they take longer."""
    found = service.get(session, caller.project_id, job)
    curves: Curves = request.app.state.curves
    drawings: Drawings = request.app.state.drawings

    def drawn() -> Mapping[str, go.Figure]:
        domains, attempts = auditing.domains(session, found), repository.attempts(session, found.id)
        return job_figures.figures(session, found, curves, domains, attempts)

    pulse = overview_repository.pulse_of(found)
    figures = drawings.figures(found.id, pulse, drawn)
    # Joined as text: to encode the figures again would take as long as the rest.
    body = b'{"pulse": %s, "figures": %s}' % (json.dumps(pulse).encode(), figures)
    return Response(body, media_type="application/json")


@router.get("/jobs/{job}/events", response_model=None)
async def job_events(
    job: str, request: Request, caller: Annotated[Principal, needs(Scope.JOBS_READ)]
) -> ASGIApp:
    """An event for every new version of the schedule, and one for whatever else was reported or ordered."""
    board: Board = request.app.state.board
    callers: Callers = request.app.state.callers
    first = await board.get(caller.project_id, job)

    def event(entry: Entry) -> bytes:
        return b"event: version\ndata: %s\n\n" % entry.etag.encode()

    return EventStream(
        board,
        caller.project_id,
        job,
        first.etag,
        callers.presence.held(caller),
        event=event,
        pause=LOOK_SECONDS,
        quiet=Listener(request.app.state.pulses, (caller.project_id, job)),
    )


def _told(session: Session, job: Job, caller: Principal) -> dict[str, Any]:
    """What the page tells in words and tables."""
    shown, domains = service.shown(session, job), auditing.domains(session, job)
    newest = repository.stages(session, job.id, Wanted(limit=_MOST_VERSIONS), newest_first=True)
    attempts, status = repository.attempts(session, job.id), trainer.status(session, job)
    return {
        "job": shown,
        "may_order": Scope.JOBS_WRITE in caller.scopes and shown.ended is None,
        "domains": domains,
        "in_force": named([domain.name for domain in domains], status.weights),
        "trainer": job_words.of_trainer(status),
        "overdue": status.overdue,
        "policy": job_words.of_policy(job, shown),
        "versions": service.versions(job, newest.rows),
        "attempts": attempts,
        "most_attempts": _MOST_ATTEMPTS,
        "audit": auditing.audit(session, job, Wanted(limit=_MOST_EVENTS), versions=False).rows,
    }
