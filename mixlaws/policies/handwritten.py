"""A schedule given by hand: stages of known weights and lengths, one after the other.

What curricula and two-stage recipes are written as, and a yardstick for policies that find theirs. The last
stage holds until the job ends. Nothing that is reported changes the plan.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from mixlaws.arrays import JsonObject, frozen
from mixlaws.domains import DomainSet
from mixlaws.errors import InvalidInputError
from mixlaws.feedback import Feedback, Signal
from mixlaws.policy import Stage, check_state
from mixlaws.problem import MixtureProblem
from mixlaws.simplex import as_weights

SCHEMA = 1


@dataclass(frozen=True)
class PlannedStage:
    """A stage as a person writes it.

    Args:
        weights: share of every domain by name; one that is left out gets none.
        steps: how many steps it holds; None, for the last stage alone, means to the end.
    """

    weights: Mapping[str, float]
    steps: int | None = None


@dataclass(frozen=True, eq=False)
class HandwrittenState:
    """The plan as arrays, and the names (d,) whose order they follow."""

    names: tuple[str, ...]
    plan: tuple[Stage, ...]


@dataclass(frozen=True)
class Handwritten:
    """Follows the stages that it is given.

    Args:
        plan: the stages in their order; the prior throughout, if there is none.
    """

    plan: tuple[PlannedStage, ...] = ()

    def __post_init__(self) -> None:
        for number, stage in enumerate(self.plan):
            last = number == len(self.plan) - 1
            if (stage.steps is None and not last) or (stage.steps is not None and stage.steps < 1):
                raise InvalidInputError(
                    f"plan.{number}: steps is {stage.steps}: use at least 1; only the last may have none"
                )

    @property
    def signals(self) -> frozenset[Signal]:
        """Nothing needs to be reported."""
        return frozenset()

    def init(self, problem: MixtureProblem, /) -> HandwrittenState:
        """The plan for the domains of a problem.

        Raises:
            UnknownDomainError: a stage names a domain that the problem does not have.
            WeightsError: the weights of a stage do not sum to 1.
        """
        if not self.plan:
            return HandwrittenState(problem.domains.names, (Stage(problem.prior),))
        return self._planned(problem.domains)

    def update(self, state: HandwrittenState, feedback: Feedback, /) -> HandwrittenState:  # noqa: ARG002 - protocol
        """The same state."""
        return state

    def stages(self, state: HandwrittenState, /) -> Sequence[Stage]:
        """The whole plan; its last stage is without end."""
        return state.plan

    def dump(self, state: HandwrittenState, /) -> JsonObject:
        """The names; and the weights, if they were not given by hand."""
        weights = None if self.plan else state.plan[0].weights.tolist()
        return {"schema": SCHEMA, "policy": "handwritten", "names": list(state.names), "weights": weights}

    def load(self, raw: JsonObject, /) -> HandwrittenState:
        """The state from its dump."""
        check_state(raw, "handwritten", SCHEMA)
        names = tuple(raw["names"])
        if raw["weights"] is not None:
            return HandwrittenState(names, (Stage(frozen(raw["weights"])),))
        return self._planned(DomainSet(names, (1,) * len(names)))

    def _planned(self, domains: DomainSet) -> HandwrittenState:
        rows = [frozen(as_weights(domains.to_array(stage.weights, missing=0.0))) for stage in self.plan]
        steps = [*(stage.steps for stage in self.plan[:-1]), None]
        return HandwrittenState(domains.names, tuple(map(Stage, rows, steps)))
