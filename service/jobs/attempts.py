"""Restarts from a checkpoint: the state of that step comes back, older attempts are fenced."""

import re
from collections.abc import Sequence

from sqlalchemy.orm import Session

from mixlaws.steering.events import Event, EventKind
from service.errors import InvalidRequestError
from service.jobs import (
    commit_repository,
    epochs,
    joining,
    log,
    log_repository,
    recording,
    repository,
    states,
)
from service.jobs.definition import JobDefinition
from service.jobs.replaying import fitting
from service.jobs.schemas import AttemptIn
from service.models import Attempt, Job

MOST_REACHED = 12  # newest attempts whose end is looked up: more are not drawn
_TOKEN = re.compile(r"(?:e(\d{1,9})\.)?a(\d{1,9})\.s(\d{1,18})")


def open_attempt(
    session: Session, job: Job, body: AttemptIn, *, actor: str, number: int | None = None
) -> Attempt:
    """Restart a locked job from a checkpoint.

    The policy's state of that step comes back, what people ordered since stays in force, and domains that
    were added come in.

    Args:
        session: where it is written.
        job: locked.
        body: where to start from.
        actor: who restarts it.
        number: of the attempt, if a trainer has been given one that is not known here; above all others.

    Raises:
        InvalidRequestError: the state token is unknown, or of a later step than the checkpoint.
    """
    seq = _restored_seq(session, job, body)
    state, _ = states.at(session, job, seq)
    added = joining.waiting(session, job)
    if added:
        job.definition = joining.joined(job.definition, added)
    definition = JobDefinition.stored(job.definition)
    weights = log_repository.weights_of_all(session, job.id)
    past = states.past(session, job, seq) if len(state.anchor) < len(definition.domains) else []
    restored = fitting(definition, state, past, weights)
    repository.take_back(session, job.id, seq, body.from_step)
    log_repository.forget_snapshots(session, job.id, seq)
    job.attempt = number if number is not None else epochs.next_attempt(job)
    job.from_step = body.from_step
    job.applied_step = job.reported_step = body.from_step - 1
    attempt = Attempt(
        job_id=job.id, number=job.attempt, from_step=body.from_step, restored_seq=seq,
        definition=job.definition,
    )  # fmt: skip
    session.add(attempt)
    session.flush()
    session.expire_all()
    job = session.get_one(Job, job.id)
    payload = {"from_step": body.from_step, "seq": seq, "domains": [domain["name"] for domain in added]}
    event = Event(EventKind.ATTEMPT, payload)
    recording.record(session, job, event, actor=actor, restored=restored)
    repository.announce(session, [job.id])
    return session.get_one(Attempt, (job.id, job.attempt))


def reached(session: Session, job: Job, attempts: Sequence[Attempt]) -> dict[int, int]:
    """The last step that each of the newest attempts reported; the one before its first if it did not."""
    found: dict[int, int] = {}
    for attempt in attempts[-MOST_REACHED:]:
        sources = JobDefinition.stored(attempt.definition).sources
        asked = [(job.id, attempt.number, source) for source in sources]
        steps = commit_repository.last_steps(session, asked)[job.id].values()
        found[attempt.number] = max(steps, default=attempt.from_step - 1)
    return found


def _restored_seq(session: Session, job: Job, body: AttemptIn) -> int:
    if body.state_token is None:
        return repository.seq_before_step(session, job.id, body.from_step)
    match = _TOKEN.fullmatch(body.state_token)
    seq = int(match[3]) if match else -1
    gone = any(back < seq < start for start, back in log.attempt_starts(session, job.id))
    lost = seq >= epochs.end(session, job, int(match[1] or 0)) if match else True
    if not 0 <= seq <= job.applied_seq or gone or lost:
        raise InvalidRequestError(
            f"state_token {body.state_token!r} names no state of this job that still counts: leave it out "
            "to restore by step"
        )
    step = repository.last_step_of_seq(session, job.id, seq)
    if step >= body.from_step:
        raise InvalidRequestError(
            f"state_token {body.state_token!r} has seen step {step}, which is not before from_step "
            f"{body.from_step}: use the token of that checkpoint"
        )
    return seq
