"""Domains that join a job with its next attempt."""

from typing import Any

from pydantic import ValidationError
from sqlalchemy.orm import Session

from mixlaws.errors import MixlawsError
from mixlaws.steering.events import EventKind
from service.errors import InvalidRequestError, ServiceError
from service.jobs import log, log_repository
from service.jobs.definition import JobDefinition
from service.jobs.schemas import JobIn
from service.models import Job


def waiting(session: Session, job: Job) -> list[dict[str, Any]]:
    """Orders of domains that wait for an attempt."""
    starts = log.attempt_starts(session, job.id)
    since = starts[-1][0] if starts else 0
    orders = log_repository.events(session, job.id, [EventKind.DOMAIN])
    return [order.payload for order in orders if order.seq > since]


def joined(definition: dict[str, Any], added: list[dict[str, Any]]) -> dict[str, Any]:
    """A definition with further domains; each takes its share of the prior from all others alike."""
    domains, prior = list(definition["domains"]), dict(definition["prior"])
    for order in added:
        share = order["prior_weight"]
        prior = {name: weight * (1 - share) for name, weight in prior.items()} | {order["name"]: share}
        domains.append({name: order[name] for name in ("name", "tokens", "max_epochs")})
    return {**definition, "domains": domains, "prior": prior}


def check(definition: dict[str, Any], name: str) -> None:
    """Check that a job can be steered with the domain that was added last: no restart could go on without.

    Raises:
        InvalidRequestError: its policy or its guards do not fit that many domains, or this one.
    """
    try:
        JobDefinition.of(JobIn.model_validate(definition)).steering.init()
    except (ValidationError, ServiceError, MixlawsError) as error:
        raise InvalidRequestError(f"domain {name!r} cannot come to this job: {error}") from error
