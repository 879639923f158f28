"""Jobs: created, shown, acknowledged."""

from collections.abc import Sequence
from uuid import UUID

from sqlalchemy.orm import Session

from mixlaws.steering.events import Event, EventKind
from service.domain_sets import service as domain_sets
from service.errors import ConflictError, InvalidRequestError, NotFoundError
from service.jobs import log_repository, recording, refusals, repository, states
from service.jobs.definition import JobDefinition
from service.jobs.recording import Change
from service.jobs.schedules import named
from service.jobs.schemas import AckIn, EndOut, JobIn, JobOut, VersionOut
from service.jobs.states import Head
from service.limits import quotas
from service.models import Attempt, Job, ScheduleStage


def create(session: Session, project_id: UUID, body: JobIn) -> tuple[Job, bool]:
    """Create a job with its first attempt and its first version; the same body again gives the same job.

    Raises:
        ConflictError: a job of that name exists with another definition.
        InvalidRequestError: the policy needs a signal that is not sent.
        QuotaError: the project has as many as it may, or the definition is too large.
    """
    known = repository.by_name(session, project_id, body.name)
    first_definition = None if known is None else log_repository.definitions(session, known.id)[1]
    body = domain_sets.resolved(session, project_id, body, stored=first_definition)
    asked = JobDefinition.of(body)
    prior = asked.domains.to_mapping(asked.steering.problem.prior)
    named = [d.model_copy(update={"name": n}) for d, n in zip(body.domains, asked.domains.names, strict=True)]
    complete = domain_sets.dumped(body.model_copy(update={"prior": prior, "domains": named}))
    quotas.check_definition(session, complete)
    # As it is read from then on: a prior that is made to sum to 1 once more may differ in its last bits.
    definition = JobDefinition.stored(complete)
    steering = definition.steering
    before = Head(0, -1, -1, 0, -1, steering.init())
    head, first = recording.published(definition, before, 0)
    job, created = repository.insert_or_get(
        session,
        {
            "project_id": project_id,
            "name": body.name,
            "definition": complete,
            "attempt": 1,
            "from_step": 0,
            "version": 0,
            "applied_seq": 0,
            "applied_step": -1,
            "reported_step": -1,
            "state": steering.dump(head.state),
            "build": "",
            "epoch": 0,
        },
    )
    original = complete if created else log_repository.definitions(session, job.id)[1]
    if original != complete:
        changed = sorted(key for key in complete if complete[key] != original.get(key))
        raise ConflictError(
            f"job {body.name!r} exists with another {', '.join(changed)}: choose another name"
        )
    if created:
        quotas.check_count(session, project_id, "jobs")
        session.add(Attempt(job_id=job.id, number=1, from_step=0, restored_seq=0, definition=complete))
        change = Change(job.id, 1, definition, 0, head, [] if first is None else [first])
        session.flush()
        recording.write(session, [change])
        session.refresh(job)
        states.keep(session, job.id, 0, definition, head.state)
    return job, created


def get(session: Session, project_id: UUID, name: str, *, lock: bool = False) -> Job:
    """The job of a name.

    Raises:
        NotFoundError: the project has none.
    """
    job = repository.by_name(session, project_id, name, lock=lock)
    if job is None:
        raise NotFoundError(f"no job {name!r} in this project: list the jobs to see their names")
    return job


def shown(session: Session, job: Job) -> JobOut:
    """A job as an answer."""
    return all_shown(session, [job])[0]


def all_shown(session: Session, jobs: Sequence[Job]) -> list[JobOut]:
    """Jobs as answers."""
    acknowledged = repository.acknowledged(session, [job.id for job in jobs])
    refused = refusals.by_reason(session, [job.id for job in jobs])
    return [_shown(job, *acknowledged[job.id], refused.get(job.id, {})) for job in jobs]


def _shown(job: Job, applied: int, too_late: int, refused: dict[str, int]) -> JobOut:
    return JobOut(
        id=job.id,
        name=job.name,
        definition=JobIn.model_validate(job.definition),
        attempt=job.attempt,
        version=job.version,
        versions_published=job.versions_published,
        versions_applied=applied,
        versions_too_late=too_late,
        reports_accepted=job.reports,
        reports_late=job.reports_late,
        reports_duplicate=job.duplicates,
        refusals=refused,
        reported_step=job.reported_step,
        created_at=job.created_at,
        last_report_at=job.last_report_at,
        hold=job.state.get("hold"),
        shadow=bool(job.state.get("shadow")),
        reports_forgotten=job.reports_forgotten,
        ended=_end(job),
    )


def _end(job: Job) -> EndOut | None:
    if job.ended_at is None:
        return None
    return EndOut(at=job.ended_at, by=job.ended_by or "", reason=job.end_reason or "")


def versions(job: Job, stages: Sequence[ScheduleStage]) -> list[VersionOut]:
    """Versions of a job's schedule as answers."""
    names = [domain["name"] for domain in job.definition["domains"]]
    plain = (
        "version", "attempt", "effective_step", "applied_at_step", "reason", "too_late", "superseded",
        "taken_back", "build",
    )  # fmt: skip
    return [
        VersionOut(
            weights=named(names, stage.weights),
            created_at=stage.created_at,
            **{name: getattr(stage, name) for name in plain},
        )
        for stage in stages
    ]


def acknowledge(session: Session, job: Job, acks: list[AckIn]) -> None:
    """Note what became of versions; one that came too late is planned anew. Saying it again changes nothing.

    Raises:
        InvalidRequestError: a version was never published.
        ConflictError: the trainer's attempt is fenced.
    """
    for number, ack in enumerate(acks):
        stage = repository.stage(session, job.id, ack.version)
        if stage is None:
            raise InvalidRequestError(
                f"acks.{number}: version {ack.version} was never published: send that of a stage of the "
                "schedule",
                code="unknown_version",
            )
        if ack.attempt != job.attempt:
            raise ConflictError(
                f"acks.{number}: attempt {ack.attempt} is fenced: attempt {job.attempt} is open now. "
                "Stop this trainer",
                code="stale_attempt",
            )
        if ack.outcome == "applied":
            if stage.applied_at_step is None:
                stage.applied_at_step = ack.step
                repository.attempt(session, job).versions_applied += stage.version > 1
            stage.superseded = False  # what replaced it came after its first step, and is told to be too late
        elif not (stage.too_late or stage.taken_back) and stage.applied_at_step is None:
            _plan_anew(session, job, stage, ack.step)
    session.flush()


def _plan_anew(session: Session, job: Job, stage: ScheduleStage, drawn_step: int) -> None:
    """Take a late stage out of the plan; where nothing has replaced it, it is placed again.

    The first version stays: nothing holds before it, and a plan that begins later is no plan for a trainer.
    """
    if stage.version == 1:
        return
    again = max(job.reported_step, drawn_step) + JobDefinition.stored(job.definition).steering.lead
    in_force = repository.stages_from(session, job.id, max(again, stage.effective_step))[0]
    stage.too_late = True
    repository.attempt(session, job).versions_too_late += 1
    session.flush()
    late = Event(
        EventKind.TOO_LATE,
        {
            "effective_step": stage.effective_step,
            "drawn_step": max(job.reported_step, drawn_step),
            "missing": in_force.version == stage.version,
        },
    )
    recording.record(session, job, late, actor="trainer")
