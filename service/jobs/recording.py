"""Writing what a fold gave: heads, versions, snapshots; and events, each an entry of the log."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

from sqlalchemy.orm import Session

from mixlaws.steering.events import Event, EventKind
from mixlaws.steering.publishing import Publication
from mixlaws.steering.state import SteeringState
from mixlaws.steering.steering import STATE_BYTES
from service.jobs import expensive, repository, states
from service.jobs.building import build
from service.jobs.definition import JobDefinition
from service.jobs.states import Head
from service.models import Job, JobEvent, ScheduleStage


@dataclass(frozen=True)
class Published:
    """A publication with its place in the log and its versions.

    Args:
        seq: the place.
        first_version: of its stages; the others count on.
        publication: the stages, and from which step they hold.
        replaces: whether a stage that was published before may begin at that step or later.
    """

    seq: int
    first_version: int
    publication: Publication
    replaces: bool


def published(definition: JobDefinition, head: Head, effective_step: int) -> tuple[Head, Published | None]:
    """A head with what its state says published from a step on."""
    state, publication = definition.steering.publish(head.state, effective_step)
    if publication is None:
        return replace(head, state=state), None
    what = Published(
        head.applied_seq, head.version + 1, publication, publication.effective_step <= head.last_effective
    )
    last = publication.stages[-1].effective_step
    version = head.version + len(publication.stages)
    return replace(head, state=state, version=version, last_effective=last), what


def within_size(definition: JobDefinition, head: Head) -> tuple[Head, list[tuple[int, Event]]]:
    """A head whose policy state is as small as it must be; one that has grown too large begins again."""
    size = definition.steering.policy_bytes(head.state)
    if size <= STATE_BYTES:
        return head, []
    reason = f"the policy's state has {size} bytes, {STATE_BYTES} are allowed: it begins again"
    event = Event(EventKind.RESET, {"reason": reason})
    state = definition.steering.obey(head.state, event)
    seq = head.applied_seq + 1
    return replace(head, applied_seq=seq, state=state), [(seq, event)]


def record(
    session: Session,
    job: Job,
    event: Event,
    *,
    actor: str,
    restored: SteeringState | None = None,
) -> Head:
    """Enter an event into the log of a locked job, and publish what follows from it.

    Args:
        session: where it is written.
        job: locked.
        event: what happened.
        actor: who or what brought it about.
        restored: the state that the event brings back.
    """
    definition = JobDefinition.stored(job.definition)
    last = repository.last_active(session, [job.id])[job.id]
    head = states.head(session, job, definition, last.effective_step)
    seq = head.applied_seq + 1
    state = definition.steering.obey(head.state, event, restored)
    head = replace(head, applied_seq=seq, state=state)
    lead = 1 if event.kind is EventKind.ATTEMPT else definition.steering.lead
    head, what = published(definition, head, max(head.reported_step, state.drawn) + lead)
    add_event(session, job, seq, event, actor)
    write(session, job, definition, head, [] if what is None else [what])
    if event.kind in {EventKind.ATTEMPT, EventKind.ROLLBACK}:
        states.keep(session, job, seq, definition, head.state)
    if what is not None:
        repository.announce(session, [job.id])
    return head


def add_event(session: Session, job: Job, seq: int, event: Event, actor: str) -> None:
    """Store an event at its place."""
    session.add(
        JobEvent(
            job_id=job.id, seq=seq, kind=event.kind, attempt=job.attempt, reported_step=job.reported_step,
            payload=event.payload, actor=actor,
        )
    )  # fmt: skip


def write(
    session: Session, job: Job, definition: JobDefinition, head: Head, publications: Sequence[Published]
) -> None:
    """Write a head, its versions and now and then a snapshot; queue the expensive step that is due."""
    due = head.applied_seq // states.SNAPSHOT_EVERY > job.applied_seq // states.SNAPSHOT_EVERY
    job.applied_seq, job.applied_step, job.reported_step = (
        head.applied_seq,
        head.applied_step,
        head.reported_step,
    )
    job.version, job.state, job.build = head.version, definition.steering.dump(head.state), build()
    for what in publications:
        if what.replaces:
            session.flush()
            repository.supersede(session, job.id, what.publication.effective_step)
        session.add_all(_stages(job, what))
    session.flush()
    if due:
        states.keep(session, job, head.applied_seq, definition, head.state)
    request = definition.steering.due(head.state)
    if request is not None:
        expensive.ask(session, job, request)


def _stages(job: Job, what: Published) -> list[ScheduleStage]:
    shared: Mapping[str, Any] = {
        "job_id": job.id,
        "attempt": job.attempt,
        "applied_seq": what.seq,
        "published_from": what.publication.effective_step,
        "build": build(),
    }
    return [
        ScheduleStage(
            version=what.first_version + number,
            effective_step=stage.effective_step,
            weights=stage.weights.tolist(),
            reason=stage.reason,
            **shared,
        )
        for number, stage in enumerate(what.publication.stages)
    ]
