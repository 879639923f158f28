"""The largest rise of any target over a reference, smoothed so that it has slopes.

max_t (f_t(w) - f_t(q))  <=  log(sum_t exp(s (f_t(w) - f_t(q)))) / s  <=  the same + log(t) / s
"""

from dataclasses import dataclass

import numpy as np
from scipy.special import logsumexp, softmax

from mixlaws.arrays import FloatArray, JsonObject
from mixlaws.estimator import DifferentiablePredictor


@dataclass(frozen=True, eq=False)
class LargestRise:
    """One target: the smoothed largest rise.

    Args:
        predictor: of the targets.
        reference: (1, t) what they rise over.
        active: (t,) positive for those that count.
        sharpness: s, per nat.
    """

    predictor: DifferentiablePredictor
    reference: FloatArray
    active: FloatArray
    sharpness: float

    def predict(self, weights: FloatArray, /) -> FloatArray:
        """(n, 1) the largest rise."""
        return np.asarray(logsumexp(self._scaled(weights), axis=1, keepdims=True) / self.sharpness)

    def jacobian(self, weights: FloatArray, /) -> FloatArray:
        """(n, 1, d) its derivatives."""
        emphasis = softmax(self._scaled(weights), axis=1)
        slopes = self.predictor.jacobian(weights)[:, self.active > 0]
        return np.asarray(np.einsum("nt,ntd->nd", emphasis, slopes)[:, None, :])

    def dump(self) -> JsonObject:
        """The predictor's dump."""
        return {"schema": 1, "worst_of": self.predictor.dump()}

    def _scaled(self, weights: FloatArray) -> FloatArray:
        changes = (self.predictor.predict(weights) - self.reference)[:, self.active > 0]
        return np.asarray(self.sharpness * changes)
