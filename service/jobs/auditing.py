"""What can be looked up of a job's past: who changed its weights and why, its whole log, its domains."""

from collections import defaultdict

from sqlalchemy.orm import Session

from mixlaws.steering.events import EventKind
from service.errors import ConflictError
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
from service.listing import Found, Wanted
from service.models import Job, JobEvent, JobRefusal, ScheduleStage

REFUSED = "refused"  # kind of the entries that are no events: what trainers sent and nobody took
_WHY = {
    EventKind.RESULT: "an expensive step of the policy was computed",
    EventKind.TOO_LATE: "a stage reached the trainer too late",
    EventKind.ATTEMPT: "restart from a checkpoint",
}


def audit(
    session: Session, job: Job, wanted: Wanted[tuple[int, int]], *, versions: bool = True
) -> Found[AuditOut, tuple[int, int]]:
    """Entries of the audit trail, newest first; versions among them."""
    more = wanted.limit + 1
    newest_events = log_repository.newest_events(session, job.id, wanted.after, more)
    newest = log_repository.newest_stages(session, job.id, wanted.after, more * versions)
    actors = log_repository.actors(session, job.id, [stage.applied_seq for stage in newest])
    names = [domain["name"] for domain in job.definition["domains"]]
    told = [((event.seq, 0), _of_event(event)) for event in newest_events]
    for stage in newest:
        entry = _of_stage(stage, actors.get(stage.applied_seq, "policy"), names)
        told.append(((stage.applied_seq, stage.version), entry))
    for number, refusal in enumerate(refusals_repository.of_job(session, job.id)):
        place = refusal.seq, log_repository.AFTER_VERSIONS + number
        if wanted.after is None or place < wanted.after:
            told.append((place, _of_refusal(refusal, job)))
    # Of one place, an event comes before the versions that it led to.
    told.sort(key=lambda entry: entry[0], reverse=True)
    rows = told[: wanted.limit]
    return Found([entry for _, entry in rows], rows[-1][0] if len(told) > wanted.limit else None)


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


def exported(session: Session, job: Job, wanted: Wanted[int]) -> tuple[LogOut, int | None]:
    """A stretch of the log, what restarts took back included, and its last place if there are more.

    Raises:
        ConflictError: reports were dropped after the job's end: what is left would replay as another job.
    """
    if job.reports_forgotten:
        raise ConflictError(
            f"{job.reports_forgotten} reports of job {job.name!r} were dropped after its end: its log is not "
            "whole any more. Its versions and its audit trail are",
            code="reports_forgotten",
        )
    after = -1 if wanted.after is None else wanted.after
    to_seq = after + wanted.limit
    entries = log.entries(session, job.id, after_seq=after, to_seq=to_seq, taken_back=True)
    events = {event.seq: event for event in log_repository.events(session, job.id)}
    versions: dict[int, list[LogVersion]] = defaultdict(list)
    for stage in log_repository.stretch(
        session, ScheduleStage, job.id, after_seq=after, to_seq=to_seq, taken_back=True
    ):
        versions[stage.applied_seq].append(LogVersion.model_validate(stage))
    stretch = LogOut(
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
    )
    return stretch, to_seq if to_seq < job.applied_seq else None


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
