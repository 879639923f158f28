"""The static policy: the prior, for the whole job. What every other policy must beat."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from mixlaws.arrays import FloatArray, JsonObject, frozen
from mixlaws.errors import StateError
from mixlaws.policy import Feedback, Signal, Stage
from mixlaws.problem import MixtureProblem

SCHEMA = 1


@dataclass(frozen=True, eq=False)
class StaticState:
    """The mixture (d,) that holds throughout."""

    weights: FloatArray


@dataclass(frozen=True)
class Static:
    """Follows the prior of the problem, whatever is reported."""

    @property
    def signals(self) -> frozenset[Signal]:
        """Nothing needs to be reported."""
        return frozenset()

    def init(self, problem: MixtureProblem, /) -> StaticState:
        """The prior of the problem."""
        return StaticState(problem.prior)

    def update(self, state: StaticState, feedback: Feedback, /) -> StaticState:  # noqa: ARG002 - protocol
        """The same state."""
        return state

    def stages(self, state: StaticState, /) -> Sequence[Stage]:
        """One stage without end."""
        return [Stage(state.weights)]

    def dump(self, state: StaticState, /) -> JsonObject:
        """The mixture as JSON."""
        return {"schema": SCHEMA, "policy": "static", "weights": state.weights.tolist()}

    def load(self, raw: JsonObject, /) -> StaticState:
        """The state from its dump."""
        if raw.get("policy") != "static" or raw.get("schema") != SCHEMA:
            raise StateError(f"not a state of the static policy, schema {SCHEMA}: {raw.get('policy')!r}")
        return StaticState(frozen(np.asarray(raw["weights"])))
