"""Schedule documents, and the step from which a trainer needs them."""

from collections.abc import Sequence

from sqlalchemy.orm import Session

from service.jobs import repository
from service.jobs.schemas import JobIn, ScheduleDomainOut, ScheduleOut, StageOut
from service.models import Job


def named(names: Sequence[str], weights: Sequence[float]) -> dict[str, float]:
    """Weights by domain; domains that came after these weights have none."""
    return {name: weights[at] if at < len(weights) else 0.0 for at, name in enumerate(names)}


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
        frozen=job.state.get("hold") is not None,
        domains=[ScheduleDomainOut.model_validate(domain) for domain in definition.domains],
        stages=[
            StageOut(
                effective_step=stage.effective_step,
                weights=named(names, stage.weights),
                version=stage.version,
                reason=stage.reason,
            )
            for stage in served
        ],
    )
