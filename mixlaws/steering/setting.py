"""What steers a job, and the calls of its policy that must not cost the job anything if they fail."""

from bisect import bisect_right
from collections.abc import Callable
from dataclasses import dataclass, field, replace
from functools import cached_property

from mixlaws.arrays import FloatArray, frozen
from mixlaws.policy import AnyExpensivePolicy, AnyPolicy, ExpensivePolicy
from mixlaws.problem import MixtureProblem
from mixlaws.steering.budgets import budget
from mixlaws.steering.guards import BoundGuards, Guards
from mixlaws.steering.plans import digest, lasting
from mixlaws.steering.state import POLICY, Hold, SteeringState
from mixlaws.steering.storing import check_storable

_LONGEST_REASON = 500  # characters


@dataclass(frozen=True, eq=False)
class Setting:
    """What steers a job.

    Args:
        problem: its domains, with prior and epochs.
        policy: the rule.
        name: of the policy, the reason of its versions.
        guards: limits around it.
        lead_steps: least distance between the last reported step and new weights.
        ttl_steps: how far ahead a schedule must be right without anybody's help: epoch budgets look so far.
        shadow: whether the policy only watches at first.

    Raises:
        InvalidInputError: the guards do not fit the problem.
    """

    problem: MixtureProblem
    policy: AnyPolicy
    name: str
    guards: Guards = field(default_factory=Guards)
    lead_steps: int = 50
    ttl_steps: int = 5000
    shadow: bool = False

    def __post_init__(self) -> None:
        _ = self.bound

    @cached_property
    def bound(self) -> BoundGuards:
        """The guards for these domains."""
        return self.guards.bind(self.problem)

    @cached_property
    def budget(self) -> FloatArray:
        """(d,) tokens that may be read of each domain; infinite where it may be repeated for ever."""
        return budget(self.problem)

    @cached_property
    def expensive(self) -> AnyExpensivePolicy | None:
        """The policy, if it has expensive steps; to look at what it has methods for takes a while."""
        return self.policy if isinstance(self.policy, ExpensivePolicy) else None

    @property
    def lead(self) -> int:
        """Steps from the last reported one to the first that can still be changed."""
        return max(self.lead_steps, 1)

    def held(self, state: SteeringState) -> FloatArray | None:
        """(d,) weights to stay with; None, for the last ones of the plan, if the policy cannot say."""
        try:
            return frozen(self._holding(state))
        except Exception:  # noqa: BLE001 - a hold must come about whatever the policy does
            return None

    def _holding(self, state: SteeringState) -> FloatArray:
        """(d,) weights of the stage in force at the next change, or cut by a probe."""
        plan = self.policy.stages(state.policy) if len(state.starts) > 1 else ()
        if not plan or digest(plan) != state.plan:
            return state.anchor
        at = max(0, bisect_right(state.starts, state.step + self.lead) - 1)
        return self.bound.near(self.bound.within(plan[lasting(plan, at)].weights), state.before)

    def moved(self, state: SteeringState, move: Callable[[], object]) -> SteeringState:
        """State with another one of the policy; if the policy fails, its state stays and weights are held.

        A state that no JSON holds, with a number that is none, is a failure too: it could not be stored.
        """
        try:
            policy = move()
            check_storable(self.policy.dump(policy))
            return replace(state, policy=policy)
        except Exception as error:  # noqa: BLE001 - whatever a policy makes of the numbers, its job goes on
            return self.failed(state, error)

    def failed(self, state: SteeringState, error: Exception) -> SteeringState:
        """State that holds its weights because the policy failed."""
        if state.hold is not None:
            return state
        reason = f"policy {self.name!r} failed: {type(error).__name__}: {error}"[:_LONGEST_REASON]
        return replace(state, hold=Hold(POLICY, reason, self.held(state)), stale="")
