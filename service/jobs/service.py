"""Jobs: created, acknowledged, restarted."""

import re
from uuid import UUID

from sqlalchemy.orm import Session

from service.errors import ConflictError, InvalidRequestError, NotFoundError
from service.jobs import repository
from service.jobs.definition import JobDefinition
from service.jobs.folding import replay
from service.jobs.planning import measured
from service.jobs.schemas import AckIn, AttemptIn, JobIn, JobOut, VersionOut
from service.models import Attempt, Job, ScheduleStage

_TOKEN = re.compile(r"a(\d{1,9})\.s(\d{1,18})")


def create(session: Session, project_id: UUID, body: JobIn) -> tuple[Job, bool]:
    """Create a job with its first attempt and its first version; the same body again gives the same job.

    Raises:
        ConflictError: a job of that name exists with another definition.
        InvalidRequestError: the policy needs a signal that is not sent.
    """
    definition = JobDefinition.of(body)
    domains = definition.problem.domains
    prior = domains.to_mapping(definition.problem.prior)
    named = [d.model_copy(update={"name": n}) for d, n in zip(body.domains, domains.names, strict=True)]
    complete = body.model_copy(update={"prior": prior, "domains": named}).model_dump(mode="json")
    state = definition.policy.init(definition.problem)
    job, created = repository.insert_or_get(
        session,
        {
            "project_id": project_id,
            "name": body.name,
            "definition": complete,
            "attempt": 1,
            "from_step": 0,
            "version": 1,
            "applied_seq": 0,
            "applied_step": -1,
            "reported_step": -1,
            "policy_state": definition.policy.dump(state),
        },
    )
    if job.definition != complete:
        changed = sorted(key for key in complete if complete[key] != job.definition.get(key))
        raise ConflictError(
            f"job {body.name!r} exists with another {', '.join(changed)}: choose another name"
        )
    if created:
        _begin(session, job, definition.weights(state).tolist())
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
    return JobOut(
        id=job.id,
        name=job.name,
        definition=JobIn.model_validate(job.definition),
        attempt=job.attempt,
        version=job.version,
        reports_duplicate=job.duplicates,
        reported_step=job.reported_step,
        created_at=job.created_at,
        last_report_at=job.last_report_at,
        **repository.counts(session, job.id),
    )


def versions(session: Session, job: Job, *, newest: int | None = None) -> list[VersionOut]:
    """Every version of a job's schedule, or the newest of them, oldest first."""
    names = [domain["name"] for domain in job.definition["domains"]]
    plain = ("version", "attempt", "effective_step", "applied_at_step", "reason", "too_late", "taken_back")
    return [
        VersionOut(
            weights=dict(zip(names, stage.weights, strict=True)),
            created_at=stage.created_at,
            **{name: getattr(stage, name) for name in plain},
        )
        for stage in repository.stages(session, job.id, newest=newest)
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
                f"acks.{number}: version {ack.version} was never published", code="unknown_version"
            )
        if ack.attempt != job.attempt:
            raise ConflictError(
                f"acks.{number}: attempt {ack.attempt} is fenced: attempt {job.attempt} is open now",
                code="stale_attempt",
            )
        if ack.outcome == "applied":
            stage.applied_at_step = ack.step if stage.applied_at_step is None else stage.applied_at_step
        elif not (stage.too_late or stage.taken_back) and stage.applied_at_step is None:
            _plan_anew(session, job, stage, ack.step)
    session.flush()


def open_attempt(session: Session, job: Job, body: AttemptIn) -> Attempt:
    """Restart a job from a checkpoint: the policy's state of that step comes back, older attempts are fenced.

    Raises:
        InvalidRequestError: the state token is unknown, or of a later step than the checkpoint.
    """
    seq = _restored_seq(session, job, body)
    repository.take_back(session, job.id, seq, body.from_step)
    session.expire_all()
    job = session.get_one(Job, job.id)
    snapshot = repository.snapshot_at(session, job.id, seq)
    reports = repository.applied_reports(session, job.id, after_seq=snapshot.applied_seq, to_seq=seq)
    definition = JobDefinition.of(JobIn.model_validate(job.definition))
    groups: dict[int, list] = {}  # type: ignore[type-arg]
    for report in reports:
        groups.setdefault(report.applied_seq or 0, []).append(measured(vars(report)))
    weights = repository.weights_of(session, {(job.id, report.schedule_version) for report in reports})
    by_version = {version: values for (_, version), values in weights.items()}
    job.policy_state = dict(replay(definition, snapshot.policy_state, groups.values(), by_version))
    job.attempt += 1
    job.from_step = body.from_step
    job.applied_step = job.reported_step = body.from_step - 1
    attempt = Attempt(job_id=job.id, number=job.attempt, from_step=body.from_step, restored_seq=seq)
    session.add(attempt)
    session.flush()
    repository.announce(session, [job.id])
    return attempt


def _begin(session: Session, job: Job, weights: list[float]) -> None:
    """The first attempt and the first version of a new job."""
    session.add(Attempt(job_id=job.id, number=1, from_step=0, restored_seq=0))
    session.add(
        ScheduleStage(
            job_id=job.id,
            version=1,
            attempt=1,
            effective_step=0,
            weights=weights,
            reason="prior",
            applied_seq=0,
            policy_state=job.policy_state,
        )
    )
    session.flush()


def _restored_seq(session: Session, job: Job, body: AttemptIn) -> int:
    if body.state_token is None:
        return repository.seq_before_step(session, job.id, body.from_step)
    match = _TOKEN.fullmatch(body.state_token)
    seq = int(match[2]) if match else -1
    step = repository.last_step_of_seq(session, job.id, seq) if seq > 0 else -1
    if seq < 0 or step is None:
        raise InvalidRequestError(
            f"state_token {body.state_token!r} names no state of this job that still counts: leave it out "
            "to restore by step"
        )
    if step >= body.from_step:
        raise InvalidRequestError(
            f"state_token {body.state_token!r} has seen step {step}, which is not before from_step "
            f"{body.from_step}: use the token of that checkpoint"
        )
    return seq


def _plan_anew(session: Session, job: Job, stage: ScheduleStage, drawn_step: int) -> None:
    """Take a late stage out of the plan, and give its weights a later step if nothing follows it.

    The first stage stays: nothing holds before it, and a plan that begins later is no plan for a trainer.
    """
    if stage.version == 1:
        return
    stage.too_late = True
    session.flush()
    last = repository.last_active(session, [job.id])[job.id]
    if last.version > stage.version:
        return
    lead = int(job.definition["lead_steps"])
    effective = max(drawn_step + lead, job.reported_step + lead, last.effective_step + 1)
    job.version += 1
    session.add(
        ScheduleStage(
            job_id=job.id,
            version=job.version,
            attempt=job.attempt,
            effective_step=effective,
            weights=stage.weights,
            reason=stage.reason,
            applied_seq=stage.applied_seq,
            policy_state=stage.policy_state,
        )
    )
    repository.announce(session, [job.id])
