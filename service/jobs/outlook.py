"""How long the domains of many jobs last: read off their stored states, without their logs."""

from mixlaws.errors import MixlawsError
from service.errors import ServiceError
from service.jobs.definition import JobDefinition
from service.models import Job

_UNREADABLE = (MixlawsError, ServiceError, KeyError, TypeError, ValueError)


def dry_steps(job: Job) -> dict[str, int]:
    """Step at which the tokens of each domain end with the weights in force, of those that end at all.

    A state that other code wrote tells nothing here: the page of its job computes it again from the log,
    which may take long.
    """
    try:
        definition = JobDefinition.stored(job.definition)
        state = definition.steering.load(job.state).widened(len(definition.domains))
        steps = definition.steering.forecast(state)
    except _UNREADABLE:
        return {}
    return {
        name: step for name, step in zip(definition.domains.names, steps, strict=True) if step is not None
    }
