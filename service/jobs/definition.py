"""A job's definition as objects of the library: what steers it, and who reports."""

from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from pydantic import ValidationError

from mixlaws.domains import DomainSet
from mixlaws.errors import InvalidInputError, MixlawsError
from mixlaws.problem import MixtureProblem
from mixlaws.registry import POLICIES
from mixlaws.steering.guards import Guards
from mixlaws.steering.steering import Steering
from service.errors import InvalidRequestError, ServiceError, UnavailableError
from service.jobs.schemas import JobIn
from service.methods import build
from service.schemas import epochs


@dataclass(frozen=True, eq=False)
class JobDefinition:
    """What steers a job, and whom it hears."""

    steering: Steering
    sources: tuple[str, ...]
    wait_steps: int

    @property
    def domains(self) -> DomainSet:
        """The domains of axis d."""
        return self.steering.problem.domains

    @classmethod
    def of(cls, body: JobIn) -> "JobDefinition":
        """Check a body and build what it names.

        Raises:
            InvalidRequestError: the policy needs a signal that is not sent, or a parameter is wrong.
            MixlawsError: domains, prior or guards contradict each other.
        """
        policy = build("policy", POLICIES, body.policy, body.params)
        missing = sorted(policy.signals - set(body.signals))
        if missing:
            raise InvalidRequestError(
                f"signals: policy {body.policy!r} needs {', '.join(missing)}: let the trainer report it, "
                "or choose another policy"
            )
        twice = [name for name, times in Counter(body.sources).items() if times > 1]
        if twice:
            raise InvalidInputError(f"sources: {twice[0]!r} occurs twice: name each source once")
        problem = MixtureProblem.create(
            DomainSet(tuple(d.name for d in body.domains), tuple(d.tokens for d in body.domains)),
            prior=body.prior,
            max_epochs=epochs(body.domains),
        )
        steering = Steering(
            problem, policy, body.policy, Guards(**body.guards.model_dump()),
            lead_steps=body.lead_steps, ttl_steps=body.ttl_steps, shadow=body.shadow,
        )  # fmt: skip
        return cls(steering, tuple(body.sources), body.wait_steps)

    @classmethod
    def stored(cls, definition: Mapping[str, Any]) -> "JobDefinition":
        """The objects of a definition that was checked when it was stored.

        Raises:
            UnavailableError: this version of the service cannot build it. Its reports wait with the trainer.
        """
        try:
            return cls.of(JobIn.model_validate(definition))
        except (ValidationError, ServiceError, MixlawsError) as error:
            raise UnavailableError(
                f"this version of the service cannot steer job {definition.get('name')!r}: {error}. Its "
                "reports wait with the trainer: go back to the version that it was made with",
                code="job_not_steerable",
            ) from error
