"""Fits: bound to the runs they see, made once for each data and configuration."""

import hashlib
import json
from typing import Any
from uuid import UUID

from sqlalchemy.orm import Session

from mixlaws.registry import ESTIMATORS
from mixlaws.swarm import target_coefficients
from service.compute.swarms import dump_problem
from service.errors import InvalidRequestError, NotFoundError
from service.fits import repository, scales
from service.fits.schemas import FitIn, FitOut
from service.methods import build
from service.models import Fit, ProxyRun, Study, TaskState
from service.runs import repository as runs
from service.studies import service as studies


def create(session: Session, study: Study, body: FitIn) -> tuple[Fit, bool]:
    """Ask for a fit of the runs that are finished now; False if the same was asked for before.

    One that failed is asked for anew: a deadline or a lack of memory may have been of the moment.

    Raises:
        InvalidRequestError: no run is finished, a hyperparameter is wrong, or the runs are of several scales
            that the method does not tell apart.
        InvalidInputError: an objective of its own names a target that the study does not have.
        UnknownMethodError: no method of that name.
    """
    build("method", ESTIMATORS, body.method, body.params)
    if body.params.get("objective") is not None:
        target_coefficients(studies.definition(study).targets or [], body.params["objective"])
    finished = runs.completed(session, study.id, sweep_ids=body.sweep_ids)
    if not finished:
        raise InvalidRequestError(
            "no finished proxy run to fit: create a sweep and let workers train it first"
        )
    scales.check(body.method, finished)
    configuration = body.model_dump(mode="json")
    fit, created = repository.insert_or_get(
        session,
        {
            "study_id": study.id,
            "method": body.method,
            "configuration": configuration,
            "configuration_digest": configuration_digest(configuration),
            "run_ids": [str(run.id) for run in finished],
            "data_digest": data_digest(finished),
            "state": TaskState.QUEUED,
        },
    )
    return fit, created or _queued_again(session, fit)


def task_input(session: Session, fit: Fit, study: Study) -> dict[str, Any]:
    """What the child needs: the problem and the swarm of the very runs that the fit is bound to."""
    definition = studies.definition(study)
    targets = definition.targets or []
    run_ids = [UUID(run_id) for run_id in fit.run_ids]
    rows = {run.id: run for run in runs.completed(session, study.id, sweep_ids=_sweeps(fit))}
    values = runs.final_values(session, run_ids)
    kept = [run_id for run_id in run_ids if run_id in rows]
    return {
        "problem": dump_problem(studies.problem(definition)),
        "swarm": {
            "targets": targets,
            "weights": [rows[run_id].weights for run_id in kept],
            "values": [[values[run_id][target] for target in targets] for run_id in kept],
            **scales.columns([rows[run_id] for run_id in kept]),
        },
        "method": fit.method,
        "params": fit.configuration["params"],
        "folds": fit.configuration["folds"],
        "seed": fit.configuration["seed"],
    }


def get(session: Session, project_id: UUID, fit_id: UUID) -> tuple[Fit, Study]:
    """A fit with its study.

    Raises:
        NotFoundError: the project has none of that id.
    """
    found = repository.by_id(session, project_id, fit_id)
    if found is None:
        raise NotFoundError(f"no fit {fit_id} in this project")
    return found


def shown(session: Session, fit: Fit, study: Study) -> FitOut:
    """A fit as an answer."""
    result = fit.result or {}
    scores, targets = result.get("scores"), studies.definition(study).targets or []
    now = data_digest(runs.completed(session, study.id, sweep_ids=_sweeps(fit)))
    return FitOut(
        id=fit.id,
        study=study.name,
        method=fit.method,
        configuration=FitIn.model_validate(fit.configuration),
        state=fit.state.value,
        runs=len(fit.run_ids),
        stale=now != fit.data_digest,
        scores=None if scores is None else {target: scores[target] for target in targets},
        objective_scores=result.get("objective_scores"),
        table=result.get("table"),
        verdict=result.get("verdict"),
        noise=result.get("noise"),
        scale=result.get("scale"),
        error=fit.error,
        seconds=result.get("seconds"),
        created_at=fit.created_at,
        finished_at=fit.finished_at,
    )


def data_digest(finished: list[ProxyRun]) -> str:
    """Digest of what a fit would see."""
    return _digest([[str(run.id), run.weights, (run.result or {}).get("losses")] for run in finished])


def configuration_digest(configuration: dict[str, Any]) -> str:
    """Digest of what a fit was asked for."""
    return _digest(configuration)


def _queued_again(session: Session, fit: Fit) -> bool:
    if fit.state is not TaskState.FAILED:
        return False
    found = repository.locked(session, fit.id)
    if found is None or found.state is not TaskState.FAILED:  # somebody else asked at the same moment
        return False
    found.state, found.error, found.finished_at = TaskState.QUEUED, None, None
    session.flush()
    return True


def _sweeps(fit: Fit) -> list[UUID] | None:
    wanted = fit.configuration["sweep_ids"]
    return None if wanted is None else [UUID(sweep) for sweep in wanted]


def _digest(value: object) -> str:
    return hashlib.sha256(json.dumps(value, sort_keys=True).encode()).hexdigest()
