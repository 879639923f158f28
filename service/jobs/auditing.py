"""What can be looked up of a job's past: who changed its weights and why, its whole log, its domains."""

from collections import defaultdict

from sqlalchemy.orm import Session

from mixlaws.steering.events import EventKind
from service.jobs import log, log_repository, refusals_repository, repository, states
from service.jobs.definition import JobDefinition
from service.jobs.order_schemas import (
    AuditOut,
    DomainStatusOut,
    LogEntry,
    LogEvent,
    LogOut,
    LogReport,
    LogVersion,
)
from service.jobs.schedules import named
from service.jobs.schemas import JobIn
from service.models import Job, JobEvent, JobRefusal, ScheduleStage
from service.schemas import LARGEST_INTEGER

REFUSED = "refused"  # kind of the entries that are no events: what trainers sent and nobody took
_WHY = {
    EventKind.RESULT: "an expensive step of the policy was computed",
    EventKind.TOO_LATE: "a stage reached the trainer too late",
    EventKind.ATTEMPT: "restart from a checkpoint",
}


def audit(
    session: Session, job: Job, *, before: int | None, limit: int, versions: bool = True
) -> list[AuditOut]:
    """The newest entries of the audit trail before a place in the log, newest first; versions among them."""
    seq = LARGEST_INTEGER if before is None else before
    newest_events = log_repository.newest_events(session, job.id, seq, limit)
    newest = log_repository.newest_stages(session, job.id, seq, limit * versions)
    actors = {event.seq: event.actor for event in newest_events}
    names = [domain["name"] for domain in job.definition["domains"]]
    told = [_of_event(event) for event in newest_events]
    told += [_of_stage(stage, actors.get(stage.applied_seq, "policy"), names) for stage in newest]
    told += [_of_refusal(refusal, job) for refusal in refusals_repository.of_job(session, job.id)
             if refusal.seq < seq]  # fmt: skip
    return sorted(
        told, key=lambda entry: (entry.seq, entry.kind == REFUSED, entry.version or 0), reverse=True
    )[:limit]


def domains(session: Session, job: Job) -> list[DomainStatusOut]:
    """What was read of each domain, and how long it lasts."""
    definition = JobDefinition.stored(job.definition)
    state = states.head(session, job, definition, 0).state
    steering, total = definition.steering, float(state.consumed.sum())
    left = steering.budget - state.consumed
    last = repository.last_active(session, [job.id])[job.id]
    weights = named(definition.domains.names, last.weights)
    return [
        DomainStatusOut(
            name=name,
            weight=weights[name],
            tokens_read=int(state.consumed[at]),
            realised_share=float(state.consumed[at] / total) if total else None,
            intended_share=float(state.intended[at] / total) if total else None,
            tokens_left=max(0, int(left[at])) if left[at] < float("inf") else None,
            dry_step=dry,
            zero_step=state.zeros.get(at),
            retired=at in state.retired,
        )
        for (at, name), dry in zip(enumerate(definition.domains.names), steering.forecast(state), strict=True)
    ]


def exported(session: Session, job: Job, *, after: int, limit: int) -> LogOut:
    """A stretch of the log after a place, what restarts took back included."""
    to_seq = after + limit
    entries = log.entries(session, job.id, after_seq=after, to_seq=to_seq, taken_back=True)
    events = {event.seq: event for event in log_repository.events(session, job.id)}
    versions: dict[int, list[LogVersion]] = defaultdict(list)
    for stage in log_repository.stretch(
        session, ScheduleStage, job.id, after_seq=after, to_seq=to_seq, taken_back=True
    ):
        versions[stage.applied_seq].append(LogVersion.model_validate(stage))
    return LogOut(
        job=job.name,
        definitions={
            attempt: JobIn.model_validate(definition)
            for attempt, definition in log_repository.definitions(session, job.id).items()
        },
        entries=[
            LogEntry(
                seq=entry.seq,
                reports=[LogReport.model_validate(report) for report in entry.reports],
                event=LogEvent.model_validate(events[entry.seq]) if entry.event is not None else None,
                published_from=entry.published_from,
                versions=versions[entry.seq],
            )
            for entry in entries
        ],
        next=to_seq if to_seq < job.applied_seq else None,
    )


def _of_event(event: JobEvent) -> AuditOut:
    return AuditOut(
        seq=event.seq,
        at=event.created_at,
        kind=event.kind.value,
        actor=event.actor,
        reason=event.payload.get("error") or event.payload.get("reason") or _WHY.get(event.kind, ""),
        attempt=event.attempt,
        step=event.reported_step,
        version=event.payload.get("version"),
        weights=event.payload.get("weights"),
        taken_back=event.taken_back,
    )


def _of_refusal(refusal: JobRefusal, job: Job) -> AuditOut:
    return AuditOut(
        seq=refusal.seq,
        at=refusal.last_at,
        kind=REFUSED,
        actor="trainer",
        reason=f"{refusal.code}, {refusal.count} times, last: {refusal.detail}",
        attempt=job.attempt,
        step=job.reported_step,
        version=None,
        weights=None,
        taken_back=False,
    )


def _of_stage(stage: ScheduleStage, actor: str, names: list[str]) -> AuditOut:
    return AuditOut(
        seq=stage.applied_seq,
        at=stage.created_at,
        kind="version",
        actor=actor,
        reason=stage.reason,
        attempt=stage.attempt,
        step=stage.effective_step,
        version=stage.version,
        weights=named(names, stage.weights),
        taken_back=stage.taken_back,
    )
