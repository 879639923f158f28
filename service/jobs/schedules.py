"""Schedule documents, and the step from which a trainer needs them."""

from sqlalchemy.orm import Session

from service.jobs import repository
from service.jobs.schemas import JobIn, ScheduleDomainOut, ScheduleOut, StageOut
from service.models import Job


def etag(job_attempt: int, version: int) -> str:
    """Strong validator of a schedule."""
    return f'"{job_attempt}-{version}"'


def document(session: Session, job: Job) -> ScheduleOut:
    """The schedule of a job: the stage in force at the last reported step, and all later ones."""
    definition = JobIn.model_validate(job.definition)
    names = [domain.name for domain in definition.domains]
    served = repository.stages_from(session, job.id, max(job.from_step, job.reported_step))
    return ScheduleOut(
        schema="mixture-schedule/v1",
        job=job.name,
        attempt=job.attempt,
        version=max(stage.version for stage in served),
        samples_per_step=definition.samples_per_step,
        lead_steps=definition.lead_steps,
        ttl_steps=definition.ttl_steps,
        frozen=False,
        domains=[ScheduleDomainOut.model_validate(domain) for domain in definition.domains],
        stages=[
            StageOut(
                effective_step=stage.effective_step,
                weights=dict(zip(names, stage.weights, strict=True)),
                version=stage.version,
                reason=stage.reason,
            )
            for stage in served
        ],
    )
