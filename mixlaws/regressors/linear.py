"""Linear regression on the weights, the baseline of RegMix.

    y_t(w) = b_t · w

No intercept: weights sum to 1, so that a constant is b_t with equal entries. Where a swarm leaves a
direction open, the fit takes the solution of least norm around the constant.
Source: Liu et al. 2024, arXiv:2407.01492, their linear baseline.
"""

from dataclasses import dataclass

import numpy as np

from mixlaws.arrays import FloatArray, JsonObject, frozen
from mixlaws.errors import StateError, SwarmTooSmallError
from mixlaws.swarm import Swarm, require_mixtures

SCHEMA = 1


@dataclass(frozen=True, eq=False)
class LinearPredictor:
    """Fitted slopes (t, d), nats per token per unit of weight."""

    slopes: FloatArray

    def predict(self, weights: FloatArray, /) -> FloatArray:
        """(n, t) targets of (n, d) mixtures."""
        return np.asarray(weights @ self.slopes.T)

    def jacobian(self, weights: FloatArray, /) -> FloatArray:
        """(n, t, d) derivatives, the same everywhere."""
        return np.broadcast_to(self.slopes, (len(weights), *self.slopes.shape)).copy()

    def dump(self) -> JsonObject:
        """Slopes as JSON."""
        return {"schema": SCHEMA, "regressor": "linear", "slopes": self.slopes.tolist()}


@dataclass(frozen=True)
class Linear:
    """Ordinary least squares on the weights; it has no hyperparameters."""

    def fit(self, swarm: Swarm, /, *, rng: np.random.Generator) -> LinearPredictor:  # noqa: ARG002 - protocol
        """Fit every target.

        Raises:
            SwarmTooSmallError: fewer than two runs.
            RunsAlikeError: all runs have one mixture.
        """
        if len(swarm) < 2:
            raise SwarmTooSmallError(method="linear regression", needed=2, got=len(swarm))
        require_mixtures(swarm, method="linear regression")
        means = swarm.values.mean(axis=0)
        slopes, *_ = np.linalg.lstsq(swarm.weights, swarm.values - means, rcond=None)
        return LinearPredictor(frozen(slopes.T + means[:, None]))

    def load(self, raw: JsonObject, /) -> LinearPredictor:
        """Rebuild a predictor from its dump."""
        if raw.get("regressor") != "linear" or raw.get("schema") != SCHEMA:
            raise StateError(f"not a dump of the linear regressor, schema {SCHEMA}: {raw.get('regressor')!r}")
        return LinearPredictor(frozen(raw["slopes"]))
