"""Runs: found and shown."""

from datetime import datetime
from uuid import UUID

from sqlalchemy.orm import Session

from mixlaws.swarm import target_coefficients
from service.errors import NotFoundError
from service.models import ProxyRun, RunState, Study
from service.runs import repository
from service.runs.repository import Row
from service.runs.schemas import RunOut
from service.studies import service as studies

_PLAIN = (
    "id", "client_id", "sweep_id", "label", "seed", "train", "job", "worker", "claims", "progress", "result",
    "error", "notes", "tags", "created_at", "started_at", "finished_at",
)  # fmt: skip


def get(session: Session, project_id: UUID, run_id: UUID, *, lock: bool = False) -> Row:
    """A run, locked for whoever changes it.

    Raises:
        NotFoundError: the project has none of that id.
    """
    row = repository.by_id(session, project_id, run_id, lock=lock)
    if row is None:
        raise NotFoundError(f"no run {run_id} in this project: list the runs of its study to find its id")
    return row


def shown(row: Row, moment: datetime) -> RunOut:
    """A run as an answer, at a moment of the database's clock."""
    run, sweep, study = row
    domains = studies.domain_set(studies.definition(study))
    return RunOut(
        study=study.name,
        purpose=sweep.purpose,
        weights=domains.to_mapping(run.weights),
        state=run.state.value,
        stale=is_stale(run, moment),
        **{name: getattr(run, name) for name in _PLAIN},
    )


def is_stale(run: ProxyRun, moment: datetime) -> bool:
    """Whether a run is in training without a sign of life."""
    expired = run.lease_expires_at is not None and run.lease_expires_at < moment
    return run.state is RunState.RUNNING and expired


def objective(study: Study, losses: dict[str, float]) -> float:
    """The study's objective of a run's losses."""
    definition = studies.definition(study)
    targets = definition.targets or []
    coefficients = target_coefficients(targets, definition.objective or {})
    return float(sum(c * losses[target] for c, target in zip(coefficients, targets, strict=True)))
