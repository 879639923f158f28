"""Writing what a fold gave: heads, versions, snapshots; and events, each an entry of the log."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any
from uuid import UUID

from sqlalchemy.orm import Session

from mixlaws.steering.events import Event, EventKind
from mixlaws.steering.publishing import Publication
from mixlaws.steering.state import SteeringState
from mixlaws.steering.steering import STATE_BYTES
from service.jobs import commit_repository, expensive, repository, states
from service.jobs.building import build
from service.jobs.definition import JobDefinition
from service.jobs.states import Head
from service.models import Job, JobEvent


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


@dataclass(frozen=True, eq=False)
class Change:
    """What becomes of a job.

    Args:
        job_id: the job.
        attempt: the open one.
        definition: what steers it.
        seq_before: its place in the log before.
        head: where it stands after.
        publications: what was published on the way.
        events: what happened beside reports, by place.
        reports: new reports, the late ones among them.
        late: reports that came late.
        duplicates: reports that came again.
    """

    job_id: UUID
    attempt: int
    definition: JobDefinition
    seq_before: int
    head: Head
    publications: Sequence[Published] = ()
    events: Sequence[tuple[int, Event]] = ()
    reports: int = 0
    late: int = 0
    duplicates: int = 0


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
    session.flush()
    change = Change(job.id, job.attempt, definition, job.applied_seq, head, [] if what is None else [what])
    write(session, [change])
    session.refresh(job)
    if event.kind in {EventKind.ATTEMPT, EventKind.ROLLBACK}:
        states.keep(session, job.id, seq, definition, head.state)
    if what is not None:
        repository.remember_announced(session, [job.id])  # the others are told by what was written
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
    session: Session, changes: Sequence[Change], *, reports: Sequence[dict[str, Any]] | None = None
) -> dict[UUID, int]:
    """Write heads, versions and now and then a snapshot of locked jobs; queue expensive steps that are due.

    Other processes hear of new versions at the commit.

    Args:
        session: where it is written.
        changes: one a job.
        reports: new reports, if reports brought the changes about.

    Returns:
        The transaction that wrote each job.
    """
    stages = [[row for what in change.publications for row in _stages(change, what)] for change in changes]
    heads = [
        _head_row(change, rows, reported=reports is not None)
        for change, rows in zip(changes, stages, strict=True)
    ]
    new_stages = [row for rows in stages for row in rows]
    written = commit_repository.write(session, heads, stages=new_stages, reports=reports or [])
    for change in changes:
        for what in change.publications:
            if what.replaces:  # also what an earlier publication of this very commit has planned
                step, first = what.publication.effective_step, what.first_version
                repository.supersede(session, change.job_id, step, before=first)
        for seq, event in change.events:
            add_event(
                session, session.get_one(Job, change.job_id, populate_existing=True), seq, event, "guard"
            )
        if change.head.applied_seq // states.SNAPSHOT_EVERY > change.seq_before // states.SNAPSHOT_EVERY:
            states.keep(session, change.job_id, change.head.applied_seq, change.definition, change.head.state)
        request = change.definition.steering.due(change.head.state)
        if request is not None:
            expensive.ask(session, change.job_id, change.attempt, request)
    return written


def _head_row(change: Change, stages: list[dict[str, Any]], *, reported: bool) -> dict[str, Any]:
    head = change.head
    return {
        "id": change.job_id,
        "applied_seq": head.applied_seq,
        "applied_step": head.applied_step,
        "reported_step": head.reported_step,
        "version": head.version,
        "state": change.definition.steering.dump(head.state),
        "build": build(),
        "reports": change.reports,
        "late": change.late,
        "duplicates": change.duplicates,
        "versions": sum(row["version"] > 1 for row in stages),
        "reported": reported,
        "told": bool(stages),
    }


def _stages(change: Change, what: Published) -> list[dict[str, Any]]:
    shared: Mapping[str, Any] = {
        "job_id": change.job_id,
        "attempt": change.attempt,
        "applied_seq": what.seq,
        "published_from": what.publication.effective_step,
        "build": build(),
    }
    return [
        {
            **shared,
            "version": what.first_version + number,
            "effective_step": stage.effective_step,
            "weights": stage.weights.tolist(),
            "reason": stage.reason,
        }
        for number, stage in enumerate(what.publication.stages)
    ]
