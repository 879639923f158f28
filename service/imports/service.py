"""Imports: a run is known by its name, so that an import can be repeated."""

from datetime import datetime
from typing import Any

from sqlalchemy.orm import Session

from mixlaws.domains import DomainSet
from mixlaws.errors import InvalidInputError
from mixlaws.simplex import as_weights
from service.clock_repository import now
from service.errors import ConflictError, InvalidRequestError
from service.imports import repository
from service.imports.schemas import ImportedRunBody, ImportIn, ImportOut
from service.limits import quotas
from service.models import Observation, ProxyRun, RunState, Study, Sweep
from service.studies import repository as study_repository
from service.studies import service as studies
from service.sweeps.schemas import MixtureBody, SweepIn

_MEASURED = ("losses", "step", "tokens", "model_parameters")
# The rest of what a worker's result has: readers find every field.
_UNKNOWN: dict[str, Any] = {"bits_per_byte": {}, "drawn": {}, "seconds": None, "live": {}}


def store(session: Session, study: Study, body: ImportIn) -> ImportOut:
    """Store the runs that are new, in a sweep of their own.

    Raises:
        InvalidRequestError: a mixture is off the simplex, or a target is missing or unknown.
        ConflictError: a run of that name has other fields.
        QuotaError: the project has as many runs as it may.
    """
    definition = studies.definition(study)
    domains, targets = studies.domain_set(definition), definition.targets or []
    offered = [_checked(at, run, domains, targets) for at, run in enumerate(body.runs)]
    study_repository.lock(session, study)
    known = {
        name: _fields(run, domains)
        for name, run in repository.named(session, study.id, [run.name for run in body.runs]).items()
    }
    new: dict[str, dict[str, Any]] = {}
    for at, (run, fields) in enumerate(zip(body.runs, offered, strict=True)):
        if (stored := known.get(run.name)) is None:
            if new.setdefault(run.name, fields) != fields:
                raise InvalidRequestError(
                    f"runs.{at}: run {run.name!r} stands twice in this request, with other fields: name each "
                    "run once",
                    code="duplicate_run",
                    extra={"name": run.name, "first": new[run.name], "second": fields},
                )
        elif stored != fields:
            raise ConflictError(
                f"run {run.name!r} was imported with other fields: the first ones stand",
                code="other_run",
                extra={"name": run.name, "stored": stored, "offered": fields},
            )
    sweep = _sweep(session, study, body.source, list(new.items()), domains) if new else None
    if new:
        quotas.check_count(session, study.project_id, "runs")
    return ImportOut(
        sweep_id=None if sweep is None else sweep.id, created=len(new), duplicates=len(body.runs) - len(new)
    )


def _checked(at: int, run: ImportedRunBody, domains: DomainSet, targets: list[str]) -> dict[str, Any]:
    """The fields of a run as they are stored, once they are known to be those of the study."""
    try:
        weights = as_weights(domains.to_array(run.weights))
    except InvalidInputError as error:
        raise InvalidRequestError(f"runs.{at}.weights: {error}") from None
    missing, unknown = sorted(set(targets) - set(run.losses)), sorted(set(run.losses) - set(targets))
    if missing or unknown:
        raise InvalidRequestError(
            f"runs.{at}.losses: no value for {missing}, unknown targets {unknown}: name each target once"
        )
    result = run.model_dump(mode="json", include=set(_MEASURED))
    return {"weights": domains.to_mapping(weights), "seed": run.seed, **result}


def _fields(run: ProxyRun, domains: DomainSet) -> dict[str, Any]:
    result = run.result or {}
    measured = {key: result.get(key) for key in _MEASURED}
    return {"weights": domains.to_mapping(run.weights), "seed": run.seed, **measured}


def _sweep(
    session: Session, study: Study, source: str, new: list[tuple[str, dict[str, Any]]], domains: DomainSet
) -> Sweep:
    train = {repository.MARK: True, "source": source}
    mixtures = [
        MixtureBody(weights=fields["weights"], label=name, seed=fields["seed"]) for name, fields in new
    ]
    definition = SweepIn(purpose="proxy", params={}, mixtures=mixtures, train=train)
    sweep = Sweep(study_id=study.id, purpose="proxy", definition=definition.model_dump(mode="json"))
    sweep.data_version = 1  # all its runs are here at once
    session.add(sweep)
    session.flush()
    moment = now(session)
    rows = [_row(sweep, name, fields, domains, moment) for name, fields in new]
    session.add_all(rows)
    session.flush()  # observations point at runs
    session.add_all(
        Observation(run_id=row.id, step=fields["step"], target=target, value=value)
        for row, (_, fields) in zip(rows, new, strict=True)
        for target, value in fields["losses"].items()
    )
    session.flush()
    return sweep


def _row(sweep: Sweep, name: str, fields: dict[str, Any], domains: DomainSet, moment: datetime) -> ProxyRun:
    return ProxyRun(
        study_id=sweep.study_id,
        sweep_id=sweep.id,
        client_id=name,
        label=name,
        weights=domains.to_array(fields["weights"]).tolist(),
        seed=fields["seed"],
        train=sweep.definition["train"],
        state=RunState.COMPLETED,
        progress=1.0,
        result={**{key: fields[key] for key in _MEASURED}, **_UNKNOWN},
        finished_at=moment,
    )
