"""States of jobs: as they are now, and as they were at a place of the log."""

import logging
from dataclasses import dataclass
from uuid import UUID

from sqlalchemy.orm import Session

from mixlaws.errors import MixlawsError
from mixlaws.steering.state import SteeringState
from service.jobs import log, log_repository
from service.jobs.building import build
from service.jobs.definition import JobDefinition
from service.jobs.folding import Entry
from service.jobs.replaying import advanced, lineage, replay
from service.models import Job

_log = logging.getLogger("service.jobs")

SNAPSHOT_EVERY = 100  # places in the log
_UNREADABLE = (MixlawsError, KeyError, TypeError, ValueError)  # a state that other code wrote


@dataclass(frozen=True, eq=False)
class Head:
    """Where the fold of a job stands.

    Args:
        applied_seq: last place in the log; never used twice, not even after a restart.
        applied_step: last step that the policy has seen.
        reported_step: last step that any source has reported.
        version: last version ever published.
        last_effective: step from which the last stage in the plan holds.
        state: of the steering.
    """

    applied_seq: int
    applied_step: int
    reported_step: int
    version: int
    last_effective: int
    state: SteeringState


def head(session: Session, job: Job, definition: JobDefinition, last_effective: int) -> Head:
    """Where a job stands now.

    A state that this code cannot read, since an older version wrote it, is computed again from the log.
    """
    try:
        state = definition.steering.load(job.state)
    except _UNREADABLE as error:
        _log.warning("job %s: its state is computed again from the log: %s", job.name, error)
        state = _replayed(session, job, job.applied_seq)
    state = state.widened(len(definition.domains))  # a restart brings new domains in
    return Head(job.applied_seq, job.applied_step, job.reported_step, job.version, last_effective, state)


def at(session: Session, job: Job, seq: int) -> tuple[SteeringState, JobDefinition]:
    """The state at a place of the log that still counts, and the job as it was defined there."""
    starts = log.attempt_starts(session, job.id)
    definitions = list(log.definitions(session, job.id).values())
    definition = definitions[sum(start <= seq for start, _ in starts)]
    snapshot = log_repository.snapshot_at(session, job.id, seq)
    if snapshot is None:
        return _replayed(session, job, seq), definition
    try:
        state = definition.steering.load(snapshot.state)
    except _UNREADABLE:
        return _replayed(session, job, seq), definition
    rest = log.entries(session, job.id, after_seq=snapshot.seq, to_seq=seq)
    return advanced(definition, state, rest, log_repository.weights_of_all(session, job.id)), definition


def past(session: Session, job: Job, seq: int) -> list[Entry]:
    """The entries that a state at a place goes back to."""
    return lineage(log.entries(session, job.id, after_seq=-1, to_seq=seq, taken_back=True), seq)


def keep(session: Session, job_id: UUID, seq: int, definition: JobDefinition, state: SteeringState) -> None:
    """Store a snapshot."""
    values = {"job_id": job_id, "seq": seq, "state": definition.steering.dump(state), "build": build()}
    log_repository.keep_snapshot(session, values)


def _replayed(session: Session, job: Job, seq: int) -> SteeringState:
    entries = log.entries(session, job.id, after_seq=-1, to_seq=seq, taken_back=True)
    definitions, weights = log.definitions(session, job.id), log_repository.weights_of_all(session, job.id)
    state = None
    for step in replay(definitions, entries, weights):
        state = step.state
    if state is None:
        raise LookupError(f"job {job.name!r} has no log")
    return state
