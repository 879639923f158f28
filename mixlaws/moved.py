"""A predictor of the largest scale that answers for other scales, by the level and gain of each."""

from dataclasses import dataclass, replace
from typing import Protocol, Self

import numpy as np

from mixlaws.arrays import FloatArray
from mixlaws.estimator import DifferentiablePredictor, ProbabilisticPredictor
from mixlaws.laws.curves import check_scale
from mixlaws.levels import Levels
from mixlaws.scales import Scale


class SmoothPredictor(DifferentiablePredictor, ProbabilisticPredictor, Protocol):
    """A predictor with slopes and deviations."""


@dataclass(frozen=True, eq=False)
class MovedPredictor:
    """A fit of values that were moved to the largest scale.

    Args:
        inner: the fit.
        levels: level and gain of every scale.
        scale: what is predicted for.
    """

    inner: SmoothPredictor
    levels: Levels
    scale: Scale

    @property
    def model_parameters(self) -> float | None:
        """Model size that is predicted for."""
        return self.scale.model_parameters

    @property
    def tokens(self) -> float | None:
        """Length of training that is predicted for."""
        return self.scale.tokens

    def at(self, *, model_parameters: float | None = None, tokens: float | None = None) -> Self:
        """The predictor for another scale; what is not named stays as it is.

        Raises:
            InvalidInputError: runs say nothing of that scale, or a value is not positive.
        """
        named = {"model_parameters": model_parameters, "tokens": tokens}
        told = {name: check_scale(name, value) for name, value in named.items() if value is not None}
        wanted = self.scale._replace(**told)
        self.levels.at(wanted)
        return replace(self, scale=wanted)

    def predict(self, weights: FloatArray, /) -> FloatArray:
        """(n, t) targets of (n, d) mixtures at the scale, in the unit of the targets."""
        return self.levels.from_largest(self.inner.predict(self.rows(weights)), self.scale)

    def jacobian(self, weights: FloatArray, /) -> FloatArray:
        """(n, t, d) derivatives of the predictions."""
        rows = self.rows(weights)
        slopes = self.inner.jacobian(rows)[:, :, : weights.shape[1]]
        return np.asarray(self.worth(rows)[:, :, None] * slopes)

    def deviation(self, weights: FloatArray, /) -> FloatArray:
        """(n, t) standard deviations, as the fit tells them; a level that was not measured is not in them."""
        rows = self.rows(weights)
        return np.asarray(self.worth(rows) * self.inner.deviation(rows))

    def sample(self, weights: FloatArray, /, *, count: int, rng: np.random.Generator) -> FloatArray:
        """(count, n, t) joint draws."""
        draws = self.inner.sample(self.rows(weights), count=count, rng=rng)
        return self.levels.from_largest(draws, self.scale)

    def rows(self, weights: FloatArray, /) -> FloatArray:
        """What the fit is asked for mixtures (n, d) at the scale."""
        return weights

    def worth(self, rows: FloatArray, /) -> FloatArray:
        """(n, t) what one unit of the fit is worth at the scale."""
        return self.levels.worth(self.inner.predict(rows), self.scale)
