"""A job's definition as objects of the library: policy, problem, guards."""

from dataclasses import dataclass

from mixlaws.arrays import FloatArray
from mixlaws.domains import DomainSet
from mixlaws.errors import InvalidInputError
from mixlaws.policy import AnyPolicy
from mixlaws.problem import MixtureProblem
from mixlaws.registry import POLICIES
from mixlaws.steering.guards import BoundGuards, Guards
from service.errors import InvalidRequestError
from service.jobs.schemas import JobIn
from service.methods import build
from service.schemas import epochs


@dataclass(frozen=True, eq=False)
class JobDefinition:
    """What steers a job."""

    policy: AnyPolicy
    problem: MixtureProblem
    guards: BoundGuards
    sources: tuple[str, ...]
    wait_steps: int
    lead_steps: int

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
        if len(set(body.sources)) != len(body.sources):
            raise InvalidInputError("sources: a name occurs twice")
        problem = MixtureProblem.create(
            DomainSet(tuple(d.name for d in body.domains), tuple(d.tokens for d in body.domains)),
            prior=body.prior,
            max_epochs=epochs(body.domains),
        )
        guards = Guards(**body.guards.model_dump()).bind(problem)
        return cls(policy, problem, guards, tuple(body.sources), body.wait_steps, body.lead_steps)

    def weights(self, state: object) -> FloatArray:
        """(d,) what the policy says in a state, within the guards."""
        return self.guards.within(self.policy.stages(state)[0].weights)
