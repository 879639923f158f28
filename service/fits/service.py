"""Fits: bound to the runs they see, made once for each data and configuration."""

import hashlib
import json
from collections.abc import Sequence
from typing import Any
from uuid import UUID

from sqlalchemy.orm import Session

from mixlaws.registry import ESTIMATORS
from mixlaws.swarm import target_coefficients
from service.compute.swarms import dump_problem
from service.deferring import defer
from service.errors import ConflictError, InvalidRequestError, NotFoundError
from service.fits import repository, scales
from service.fits.freshness import Freshness, sweeps_of
from service.fits.schemas import FitIn, FitOut
from service.methods import build
from service.models import Fit, ProxyRun, Study, TaskState
from service.refusals import INSUFFICIENT_DATA
from service.runs import repository as runs
from service.studies import service as studies
from service.tasks import asking
from service.tasks.schemas import told

KIND = "fit"


def create(session: Session, study: Study, body: FitIn) -> tuple[Fit, bool]:
    """Ask for a fit of the runs that are finished now; False if the same was asked for before.

    One that failed or was cancelled is asked for anew: a deadline or a lack of memory may have been of the
    moment.

    Raises:
        InvalidRequestError: no run is finished, a hyperparameter is wrong, or the runs are of several scales
            that the method does not tell apart.
        InvalidInputError: an objective of its own names a target that the study does not have.
        UnknownMethodError: no method of that name.
    """
    build("method", ESTIMATORS, body.method, body.params)
    if body.params.get("objective") is not None:
        target_coefficients(studies.definition(study).targets or [], body.params["objective"])
    # Before the runs: a result that comes in between makes the fit stale and not wrong.
    version = Freshness(session, study.id).version(body.sweep_ids)
    finished = runs.completed(session, study.id, sweep_ids=body.sweep_ids)
    if not finished:
        raise InvalidRequestError(
            "no finished proxy run to fit, and at least 1 is needed: create a sweep and let workers train it",
            code=INSUFFICIENT_DATA,
            extra={"needed": 1, "got": 0},
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
            "data_version": version,
            "state": TaskState.QUEUED,
        },
    )
    # The same data under a later version is what came and went, or came while the fit was asked for.
    fit.data_version = max(fit.data_version, version)
    if created:
        defer(session, KIND, fit.id)
        return fit, True
    if fit.state.ended:
        repository.locked(session, fit.id)
    return fit, asking.ask_anew(session, KIND, fit)


def task_input(session: Session, fit: Fit, study: Study) -> dict[str, Any]:
    """What the child needs: the problem and the swarm of the very runs that the fit is bound to.

    Raises:
        ConflictError: these runs have other results now, or are gone.
    """
    rows = seen(session, fit, study)
    if data_digest(rows) != fit.data_digest:
        raise ConflictError(
            f"the {len(fit.run_ids)} runs of this fit have changed since it was asked for: ask for a new one",
            code="inputs_changed",
        )
    definition = studies.definition(study)
    targets = definition.targets or []
    return {
        "problem": dump_problem(studies.problem(definition)),
        "swarm": swarm(rows, targets),
        "method": fit.method,
        "params": fit.configuration["params"],
        "folds": fit.configuration["folds"],
        "seed": fit.configuration["seed"],
    }


def swarm(rows: Sequence[ProxyRun], targets: Sequence[str]) -> dict[str, Any]:
    """Finished runs as columns: what each result says, and nothing that was observed on the way."""
    losses = [(row.result or {})["losses"] for row in rows]
    return {
        "targets": list(targets),
        "weights": [row.weights for row in rows],
        "values": [[float(measured[target]) for target in targets] for measured in losses],
        **scales.columns(rows),
    }


def sampled(session: Session, fit: Fit, study: Study) -> list[list[float]]:
    """Mixtures of the runs that a fit saw."""
    return [row.weights for row in mixed(session, fit, study)]


def seen(session: Session, fit: Fit, study: Study) -> list[ProxyRun]:
    """The finished runs that a fit is bound to, in their order."""
    rows = {str(run.id): run for run in runs.completed(session, study.id, sweep_ids=sweeps_of(fit))}
    return [rows[run_id] for run_id in fit.run_ids if run_id in rows]


def mixed(session: Session, fit: Fit, study: Study) -> list[runs.Mixed]:
    """The same runs without their losses, which take long to read."""
    rows = {str(run.id): run for run in runs.mixed(session, study.id, sweep_ids=sweeps_of(fit))}
    return [rows[run_id] for run_id in fit.run_ids if run_id in rows]


def get(session: Session, project_id: UUID, fit_id: UUID) -> tuple[Fit, Study]:
    """A fit with its study.

    Raises:
        NotFoundError: the project has none of that id.
    """
    found = repository.by_id(session, project_id, fit_id)
    if found is None:
        raise missing(fit_id)
    return found


def cancel(session: Session, project_id: UUID, fit_id: UUID) -> tuple[Fit, Study]:
    """Let a fit go that nobody needs any more; again changes nothing.

    Raises:
        NotFoundError: the project has none of that id.
        ConflictError: it is done, or failed.
    """
    _, study = get(session, project_id, fit_id)
    fit = repository.locked(session, fit_id)
    if fit is None:
        raise missing(fit_id)
    asking.cancel(session, fit)
    return fit, study


def shown(session: Session, fit: Fit, study: Study) -> FitOut:
    """A fit as an answer."""
    return _shown(fit, study, Freshness(session, study.id), fit.result or {})


def _shown(fit: Fit, study: Study, freshness: Freshness, result: dict[str, Any]) -> FitOut:
    scores, targets = result.get("scores"), studies.definition(study).targets or []
    return FitOut(
        id=fit.id,
        study=study.name,
        method=fit.method,
        configuration=FitIn.model_validate(fit.configuration),
        runs=len(fit.run_ids),
        stale_inputs=freshness.is_stale(fit),
        scores=None if scores is None else {target: scores[target] for target in targets},
        objective_scores=result.get("objective_scores"),
        table=result.get("table"),
        verdict=result.get("verdict"),
        noise=result.get("noise"),
        scale=result.get("scale"),
        seconds=result.get("seconds"),
        created_at=fit.created_at,
        finished_at=fit.finished_at,
        **told(fit),
    )


def all_shown(session: Session, fits: Sequence[Fit], study: Study) -> list[FitOut]:
    """Fits of a study as answers."""
    freshness = Freshness(session, study.id)
    found = repository.findings(session, [fit.id for fit in fits])
    return [_shown(fit, study, freshness, found.get(fit.id, {})) for fit in fits]


def data_digest(finished: list[ProxyRun]) -> str:
    """Digest of what a fit would see."""
    return _digest([[str(run.id), run.weights, (run.result or {}).get("losses")] for run in finished])


def configuration_digest(configuration: dict[str, Any]) -> str:
    """Digest of what a fit was asked for."""
    return _digest(configuration)


def _digest(value: object) -> str:
    return hashlib.sha256(json.dumps(value, sort_keys=True).encode()).hexdigest()


def missing(fit_id: UUID) -> NotFoundError:
    """What to say of a fit that a project does not have."""
    return NotFoundError(f"no fit {fit_id} in this project: list the fits of its study to find its id")
