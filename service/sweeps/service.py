"""Sweeps: designed or given mixtures become pending runs."""

from collections.abc import Sequence
from uuid import UUID

import numpy as np
from sqlalchemy.orm import Session

from mixlaws.errors import InvalidInputError
from mixlaws.registry import DESIGNS
from mixlaws.simplex import as_weights
from proxy_training.spec import TrainSpec
from service.errors import InvalidRequestError, NotFoundError
from service.limits import quotas
from service.methods import build, checked
from service.models import ProxyRun, RunState, Study, Sweep
from service.studies import service as studies
from service.sweeps import repository
from service.sweeps.schemas import MixtureBody, SweepIn, SweepOut


def create(session: Session, study: Study, body: SweepIn) -> Sweep:
    """Create a sweep with its pending runs.

    Raises:
        InvalidRequestError: nothing to run, or a field of the training spec is wrong.
        MixlawsError: a mixture is off the simplex, or the design cannot be made.
        QuotaError: the project has as many runs as it may.
    """
    if body.count and body.design is None:
        raise InvalidRequestError("count without a design: name one, such as 'sobol'")
    if not body.count and not body.mixtures:
        raise InvalidRequestError("a sweep of nothing: give a design with a count, or mixtures")
    if body.design is not None and not body.count:
        raise InvalidRequestError(f"design {body.design[:100]!r} without a count: say how many mixtures")
    if body.params and body.design is None:
        raise InvalidRequestError("params without a design: name one, such as 'sobol'")
    spec = checked("train", TrainSpec, body.train)
    mixtures = [*_designed(study, body), *body.mixtures]
    domains = studies.domain_set(studies.definition(study))
    sweep = Sweep(study_id=study.id, purpose=body.purpose, definition=body.model_dump(mode="json"))
    session.add(sweep)
    session.flush()
    for number, mixture in enumerate(mixtures):
        try:
            weights = as_weights(domains.to_array(mixture.weights))
        except InvalidInputError as error:
            raise InvalidRequestError(f"mixtures.{number}.weights: {error}") from None
        session.add(
            ProxyRun(
                study_id=study.id,
                sweep_id=sweep.id,
                label=mixture.label or f"mixture {number}",
                weights=weights.tolist(),
                seed=mixture.seed,
                train=spec.dump(),
                job=mixture.job,
                state=RunState.PENDING,
            )
        )
    quotas.check_count(session, study.project_id, "runs")
    session.flush()
    return sweep


def get(session: Session, project_id: UUID, sweep_id: UUID) -> tuple[Sweep, Study]:
    """A sweep with its study.

    Raises:
        NotFoundError: the project has none of that id.
    """
    found = repository.by_id(session, project_id, sweep_id)
    if found is None:
        raise NotFoundError(
            f"no sweep {sweep_id} in this project: list the sweeps of its study to find its id"
        )
    return found


def shown(session: Session, sweeps: Sequence[Sweep], study: Study) -> list[SweepOut]:
    """Sweeps of a study as answers."""
    done = repository.progress(session, [sweep.id for sweep in sweeps])
    return [
        SweepOut(
            id=sweep.id,
            study=study.name,
            definition=SweepIn.model_validate(sweep.definition),
            runs=done[sweep.id][0],
            progress=done[sweep.id][1],
            created_at=sweep.created_at,
        )
        for sweep in sweeps
    ]


def _designed(study: Study, body: SweepIn) -> list[MixtureBody]:
    if body.design is None or not body.count:
        return []
    problem = studies.problem(studies.definition(study))
    # Caps belong to the final run: a sweep that kept them could never tell what lies beyond.
    free = problem.without_caps()
    design = build("design", DESIGNS, body.design, body.params)
    rows = design.design(free, count=body.count, rng=np.random.default_rng(body.seed))
    return [
        MixtureBody(weights=problem.domains.to_mapping(row), label=f"{body.design} {number}", seed=body.seed)
        for number, row in enumerate(rows)
    ]
