"""What people order: each order is an event of the job's log, with a reason, and says who gave it."""

from sqlalchemy.orm import Session

from mixlaws.arrays import JsonObject
from mixlaws.domains import canonical_name
from mixlaws.steering.events import Event, EventKind
from service.errors import ConflictError, InvalidRequestError
from service.jobs import joining, log_repository, recording, repository, states
from service.jobs.definition import JobDefinition
from service.jobs.order_schemas import DomainOrder, NewDomainIn, PinIn, ReasonIn, RollbackIn, ShadowIn
from service.jobs.replaying import fitting
from service.jobs.schedules import named
from service.models import Job


def pin(session: Session, job: Job, body: PinIn, actor: str) -> None:
    """Hold weights that people chose, until they are released.

    Raises:
        InvalidInputError: a domain is unknown or missing, or the weights are off the simplex.
    """
    domains = JobDefinition.stored(job.definition).domains
    weights = domains.to_mapping(domains.to_array(body.weights))
    _order(session, job, EventKind.PIN, {"weights": weights, "reason": body.reason}, actor)


def freeze(session: Session, job: Job, body: ReasonIn, actor: str) -> None:
    """Hold the weights that were published last; the policy goes on learning."""
    _order(session, job, EventKind.FREEZE, {"reason": body.reason}, actor)


def release(session: Session, job: Job, body: ReasonIn, actor: str) -> None:
    """Let the policy steer again.

    Raises:
        ConflictError: nothing holds the weights.
    """
    if job.state.get("hold") is None:
        raise ConflictError(f"job {job.name!r} is not held: there is nothing to release", code="not_held")
    _order(session, job, EventKind.RELEASE, {"reason": body.reason}, actor)


def rollback(session: Session, job: Job, body: RollbackIn, actor: str) -> None:
    """Go back to a version: its weights are held, and the policy knows what it knew then.

    Raises:
        InvalidRequestError: the version was never published, or a restart took it back.
    """
    stage = repository.stage(session, job.id, body.version)
    if stage is None or stage.taken_back:
        raise InvalidRequestError(
            f"version {body.version} of job {job.name!r} "
            + ("was never published" if stage is None else "was taken back by a restart")
            + ": list the versions to see what can be rolled back to",
            code="unknown_version",
        )
    state, _ = states.at(session, job, stage.applied_seq)
    definition = JobDefinition.stored(job.definition)
    narrow = len(state.anchor) < len(definition.domains)
    past = states.past(session, job, stage.applied_seq) if narrow else []
    restored = fitting(definition, state, past, log_repository.weights_of_all(session, job.id))
    weights = named(definition.domains.names, stage.weights)
    payload = {
        "version": stage.version, "seq": stage.applied_seq, "weights": weights, "reason": body.reason,
    }  # fmt: skip
    # A policy that waited for a result then waits for it now, and has forgotten that it came.
    log_repository.forget_finished_steps(session, job)
    recording.record(session, job, Event(EventKind.ROLLBACK, payload), actor=actor, restored=restored)


def retire(session: Session, job: Job, body: DomainOrder, actor: str) -> None:
    """Take a domain out: its share is spread as the guards say.

    Raises:
        InvalidInputError: it is unknown, or the last one.
    """
    _order(session, job, EventKind.RETIRE, body.model_dump(include={"domain", "reason"}), actor)


def readmit(session: Session, job: Job, body: DomainOrder, actor: str) -> None:
    """Let a retired domain in again.

    Raises:
        InvalidInputError: it is unknown, or not retired.
    """
    _order(session, job, EventKind.READMIT, body.model_dump(include={"domain", "reason"}), actor)


def shadow(session: Session, job: Job, body: ShadowIn, actor: str) -> None:
    """Let the policy watch only, while the prior holds, or let it steer."""
    _order(session, job, EventKind.SHADOW, {"on": body.on, "reason": body.reason}, actor)


def add_domain(session: Session, job: Job, body: NewDomainIn, actor: str) -> None:
    """Add a domain, in force with the next attempt: a trainer that runs has no data of it.

    Raises:
        InvalidInputError: the name cannot be used.
        InvalidRequestError: the job has a domain of that name, or it is waiting for the next attempt; or the
            job could not be steered with it.
    """
    waiting, name = joining.waiting(session, job), canonical_name(body.name)
    soon = joining.joined(job.definition, waiting)
    if name in {domain["name"] for domain in soon["domains"]}:
        raise InvalidRequestError(f"domain {name!r} is in the job already: choose another name")
    tokens = sum(domain["tokens"] for domain in soon["domains"])
    share = body.prior_weight if body.prior_weight is not None else body.tokens / (tokens + body.tokens)
    payload = {**body.model_dump(exclude={"dry_run"}), "name": name, "prior_weight": share}
    joining.check(joining.joined(soon, [payload]), name)
    _order(session, job, EventKind.DOMAIN, payload, actor)


def _order(session: Session, job: Job, kind: EventKind, payload: JsonObject, actor: str) -> None:
    recording.record(session, job, Event(kind, payload), actor=actor)
