"""A predictor of the full mixture, seen through a collapse: a map from reduced weights to targets.

g(r) = f(E r),    dg/dr = df/dq E,    E the (d, 1 + m) matrix of the collapse
"""

from dataclasses import dataclass

import numpy as np

from mixlaws.arrays import FloatArray, JsonObject
from mixlaws.estimator import DifferentiablePredictor
from mixlaws.reuse.collapse import Collapse


@dataclass(frozen=True, eq=False)
class CollapsedPredictor:
    """What a law of all domains says of reduced mixtures.

    Args:
        predictor: fitted over the full domains.
        collapse: how reduced weights expand.
    """

    predictor: DifferentiablePredictor
    collapse: Collapse

    def predict(self, weights: FloatArray, /) -> FloatArray:
        """Predict (n, t) targets of (n, 1 + m) reduced mixtures."""
        return self.predictor.predict(self.collapse.expand(weights))

    def jacobian(self, weights: FloatArray, /) -> FloatArray:
        """(n, t, 1 + m) derivatives by the reduced weights."""
        return np.asarray(self.predictor.jacobian(self.collapse.expand(weights)) @ self.collapse.matrix)

    def dump(self) -> JsonObject:
        """The dump of the full predictor; the collapse belongs to the problem."""
        return self.predictor.dump()
