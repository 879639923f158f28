"""What policies share that choose one mixture before training and keep it: the baselines."""

from abc import ABC, abstractmethod
from collections.abc import Sequence
from dataclasses import dataclass
from typing import ClassVar

from mixlaws.arrays import FloatArray, JsonObject, frozen
from mixlaws.feedback import Feedback, Signal
from mixlaws.policy import Stage, check_state
from mixlaws.problem import MixtureProblem

SCHEMA = 1


@dataclass(frozen=True, eq=False)
class FixedState:
    """The mixture (d,) that holds throughout."""

    weights: FloatArray


class FixedPolicy(ABC):
    """A policy that follows one mixture, whatever is reported; a subclass says which."""

    name: ClassVar[str]

    @abstractmethod
    def mixture(self, problem: MixtureProblem, /) -> FloatArray:
        """(d,) the mixture."""

    @property
    def signals(self) -> frozenset[Signal]:
        """Nothing needs to be reported."""
        return frozenset()

    def init(self, problem: MixtureProblem, /) -> FixedState:
        """The mixture of a problem."""
        return FixedState(frozen(self.mixture(problem)))

    def update(self, state: FixedState, feedback: Feedback, /) -> FixedState:  # noqa: ARG002 - protocol
        """The same state."""
        return state

    def stages(self, state: FixedState, /) -> Sequence[Stage]:
        """One stage without end."""
        return [Stage(state.weights)]

    def dump(self, state: FixedState, /) -> JsonObject:
        """The mixture as JSON."""
        return {"schema": SCHEMA, "policy": self.name, "weights": state.weights.tolist()}

    def load(self, raw: JsonObject, /) -> FixedState:
        """The state from its dump."""
        check_state(raw, self.name, SCHEMA)
        return FixedState(frozen(raw["weights"]))
