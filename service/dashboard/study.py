"""A study: its domains and runs, what was fitted to them, proposed, and confirmed."""

from dataclasses import dataclass
from typing import Annotated, Any
from uuid import UUID

from fastapi import APIRouter, Query
from fastapi.responses import HTMLResponse
from sqlalchemy.orm import Session

from mixlaws.registry import ESTIMATORS
from service.dashboard.confirmed import confirmed
from service.dashboard.mixture_views import mixture_view
from service.dashboard.parameters import parameters
from service.dashboard.rendering import page
from service.dashboard.runs_table import PURPOSES, STATES, RunsAsked, coefficients, runs_table
from service.db import SessionDep
from service.fits import repository as fit_repository
from service.fits import service as fits
from service.jobs import repository as job_repository
from service.jobs import service as jobs
from service.listing import Wanted
from service.models import Study
from service.proposals import repository as proposal_repository
from service.proposals import service as proposals
from service.runs import table_repository
from service.runs.table_repository import Some
from service.scopes import Principal, Scope, needs
from service.studies import notes
from service.studies import service as studies
from service.studies.schemas import MOST_NOTES
from service.sweeps import repository as sweep_repository
from service.sweeps import service as sweeps

router = APIRouter()

_MOST_ROWS = 20  # of each short table: the API lists them all


@dataclass(frozen=True)
class Prior:
    """How the prior fared: its runs, and the mean of their objectives, nats per token."""

    runs: int
    mean: float


@router.get("/studies/{study}")
def show_study(
    study: str,
    session: SessionDep,
    caller: Annotated[Principal, needs(Scope.STUDIES_READ)],
    asked: Annotated[RunsAsked, Query()],
) -> HTMLResponse:
    """Everything that is known of a study."""
    found = studies.get(session, caller.project_id, study)
    names = [domain.name for domain in studies.definition(found).domains]
    proxies = Some(found.id, purpose="proxy")
    return page(
        "study.html",
        study=studies.shown(session, [found])[0],
        prior=_prior(session, found, proxies),
        mixtures=mixture_view(session, names, proxies, coefficients(found)),
        spans=dict(zip(names, table_repository.spans(session, proxies), strict=False)),
        confirmed=confirmed(session, found),
        table=runs_table(session, found, asked),
        states=STATES,
        purposes=PURPOSES,
        selected=None,
        notes=notes.shown(found).notes,
        notes_tag=notes.etag(found),
        most_notes=MOST_NOTES,
        methods_parameters=parameters(ESTIMATORS),
        **_sweeps(session, found),
        **_decided(session, found),
        **_jobs(session, caller, study),
    )


def _prior(session: Session, study: Study, proxies: Some) -> Prior | None:
    """How the natural mixture fared, if any proxy run had it."""
    definition = studies.definition(study)
    prior = studies.domain_set(definition).to_array(definition.prior or {})
    runs, mean = table_repository.at_mixture(
        session, proxies, coefficients(study), (prior / prior.sum()).tolist()
    )
    return None if mean is None else Prior(runs, mean)


def _sweeps(session: Session, study: Study) -> dict[str, Any]:
    found = sweep_repository.page(session, study.id, Wanted[UUID](limit=_MOST_ROWS))
    shown = sweeps.shown(session, found.rows, study)
    return {
        "sweeps": shown,
        "more_sweeps": found.last is not None,
        "fitted_sweeps": [
            sweep for sweep in shown if sweep.definition.purpose == "proxy" and sweep.runs.get("completed")
        ],
    }


def _decided(session: Session, study: Study) -> dict[str, Any]:
    """The newest fits and proposals."""
    newest: Wanted[UUID] = Wanted(limit=_MOST_ROWS)
    fitted = fit_repository.page(session, study.id, newest)
    proposed = proposal_repository.page(session, study.id, newest)
    of_proposals = fit_repository.by_ids_without_results(session, {row.fit_id for row in proposed.rows})
    return {
        "fits": fits.all_shown(session, fitted.rows, study),
        "more_fits": fitted.last is not None,
        "proposals": proposals.all_shown(session, proposed.rows, study),
        "more_proposals": proposed.last is not None,
        "methods": {fit_id: fit.method for fit_id, fit in of_proposals.items()},
    }


def _jobs(session: Session, caller: Principal, study: str) -> dict[str, Any]:
    if Scope.JOBS_READ not in caller.scopes:
        return {"jobs": [], "more_jobs": False}
    mine = job_repository.of_study(session, caller.project_id, study, _MOST_ROWS + 1)
    return {
        "jobs": [jobs.shown(session, job) for job in mine[:_MOST_ROWS]],
        "more_jobs": len(mine) > _MOST_ROWS,
    }
