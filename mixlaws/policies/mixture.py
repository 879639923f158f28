"""What policies share whose whole state is the mixture that they follow."""

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
class MixtureState:
    """The mixture (d,) of the last update."""

    weights: FloatArray


class MixturePolicy(ABC):
    """A policy that remembers its mixture and nothing else; a subclass says how feedback moves it."""

    name: ClassVar[str]

    @property
    @abstractmethod
    def signals(self) -> frozenset[Signal]:
        """What a trainer must report."""

    @abstractmethod
    def moved(self, weights: FloatArray, feedback: Feedback, /) -> FloatArray | None:
        """(d,) the mixture after one more feedback; None if that teaches nothing."""

    def mixture(self, problem: MixtureProblem, /) -> FloatArray:
        """(d,) the mixture before any feedback: the prior."""
        return problem.prior

    def init(self, problem: MixtureProblem, /) -> MixtureState:
        """The mixture of a problem."""
        return MixtureState(frozen(self.mixture(problem)))

    def update(self, state: MixtureState, feedback: Feedback, /) -> MixtureState:
        """The mixture after one more feedback."""
        weights = self.moved(state.weights, feedback)
        return state if weights is None else MixtureState(frozen(weights))

    def stages(self, state: MixtureState, /) -> Sequence[Stage]:
        """One stage until the next update."""
        return [Stage(state.weights)]

    def dump(self, state: MixtureState, /) -> JsonObject:
        """The mixture as JSON."""
        return {"schema": SCHEMA, "policy": self.name, "weights": state.weights.tolist()}

    def load(self, raw: JsonObject, /) -> MixtureState:
        """The state from its dump."""
        check_state(raw, self.name, SCHEMA)
        return MixtureState(frozen(raw["weights"]))
