"""Runs that clients train themselves, put under ids that they choose: asking again finds the same run."""

from typing import Any

from sqlalchemy.orm import Session

from mixlaws.domains import DomainSet
from mixlaws.errors import InvalidInputError
from mixlaws.simplex import as_weights
from service.clock_repository import now
from service.errors import ConflictError, InvalidRequestError, NotFoundError
from service.models import ProxyRun, RunState, Study, Sweep
from service.runs import repository
from service.runs.repository import Row
from service.runs.schemas import RunIn
from service.studies import repository as study_repository
from service.studies import service as studies


def put(session: Session, study: Study, client_id: str, body: RunIn) -> tuple[Row, bool]:
    """Create a run that its client trains; the same again gives the same run, and False.

    Raises:
        InvalidRequestError: the mixture is off the simplex or of other domains.
        ConflictError: a run of that id has other fields.
    """
    domains = studies.domain_set(studies.definition(study))
    try:
        weights = as_weights(domains.to_array(body.weights))
    except InvalidInputError as error:
        raise InvalidRequestError(f"weights: {error}") from None
    label = body.label or client_id
    offered = {**body.model_dump(mode="json"), "weights": domains.to_mapping(weights), "label": label}
    study_repository.lock(session, study)
    stored = repository.by_client_id(session, study.id, client_id)
    if stored is not None:
        _check_same(stored[0], offered, domains, client_id)
        return stored, False
    sweep = repository.own_sweep(session, study.id)
    run = ProxyRun(
        study_id=study.id,
        sweep_id=sweep.id,
        client_id=client_id,
        label=label,
        weights=weights.tolist(),
        seed=body.seed,
        train=body.train,
        state=RunState.RUNNING,
        started_at=now(session),
    )
    session.add(run)
    session.flush()
    return (run, sweep, study), True


def get(session: Session, study: Study, client_id: str) -> tuple[ProxyRun, Sweep, Study]:
    """The run that a client put under an id.

    Raises:
        NotFoundError: there is none.
    """
    found = repository.by_client_id(session, study.id, client_id)
    if found is None:
        raise NotFoundError(
            f"no run {client_id!r} was put into study {study.name!r}: put it, or list the runs of the study"
        )
    return found


def _check_same(run: ProxyRun, offered: dict[str, Any], domains: DomainSet, client_id: str) -> None:
    stored = {
        "weights": domains.to_mapping(run.weights),
        "seed": run.seed,
        "label": run.label,
        "train": run.train,
    }
    if stored != offered:
        changed = ", ".join(sorted(key for key in offered if offered[key] != stored[key]))
        raise ConflictError(
            f"run {client_id!r} exists with another {changed}: the first one stands, choose another id",
            code="other_run",
            extra={"stored": stored, "offered": offered},
        )
