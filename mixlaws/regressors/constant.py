"""The mean of all runs, whatever the mixture: what every other method has to beat."""

from dataclasses import dataclass

import numpy as np

from mixlaws.arrays import FloatArray, JsonObject, frozen
from mixlaws.errors import StateError
from mixlaws.swarm import Swarm

SCHEMA = 1


@dataclass(frozen=True, eq=False)
class ConstantPredictor:
    """Args: mean: (t,) values."""

    mean: FloatArray

    def predict(self, weights: FloatArray, /) -> FloatArray:
        """(n, t) means, in the unit of the targets."""
        return np.tile(self.mean, (len(weights), 1))

    def jacobian(self, weights: FloatArray, /) -> FloatArray:
        """(n, t, d) zeros."""
        return np.zeros((len(weights), len(self.mean), weights.shape[1]))

    def dump(self) -> JsonObject:
        """Means as JSON."""
        return {"schema": SCHEMA, "regressor": "constant", "mean": self.mean.tolist()}


@dataclass(frozen=True)
class Constant:
    """It has nothing to choose."""

    def fit(self, swarm: Swarm, /, *, rng: np.random.Generator) -> ConstantPredictor:  # noqa: ARG002
        """The mean of every target."""
        return ConstantPredictor(frozen(swarm.values.mean(axis=0)))

    def load(self, raw: JsonObject, /) -> ConstantPredictor:
        """Rebuild a predictor from its dump."""
        if raw.get("regressor") != "constant" or raw.get("schema") != SCHEMA:
            raise StateError(f"not a dump of a constant, schema {SCHEMA}: {raw.get('regressor')!r}")
        return ConstantPredictor(frozen(raw["mean"]))
