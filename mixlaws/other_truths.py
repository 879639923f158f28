"""Learning curves of other families than `mixlaws.learning_truth`, for judging what was tuned on that one."""

from dataclasses import dataclass

import numpy as np

from mixlaws.arrays import FloatArray
from mixlaws.learning_truth import LearningTruth
from mixlaws.repetition import marginal_value


@dataclass(frozen=True, eq=False)
class LogarithmicTruth(LearningTruth):
    """Curves without a power: L_i(n) = c_i + b_i (1 - a_i ln(1 + e_i / s_i)), convex in n like the others.

    No law of ours has this form. Nothing stops them from going below 0: a_i is to be small.
    """

    def losses(self, tokens: FloatArray, /) -> FloatArray:
        """(..., d) losses after (..., d) tokens of each domain."""
        return np.asarray(self.floor + self.height * (1 - self.exponent * np.log(self._grown(tokens))))

    def jacobian(self, weights: FloatArray, /) -> FloatArray:
        """(n, d, d) their derivatives; the last axis is that of the weights."""
        tokens = weights * self.budget
        by_effective = -self.height * self.exponent / self.scale / self._grown(tokens)
        worth = marginal_value(tokens, self.unique) * self.budget
        return np.asarray(by_effective[:, :, None] * self.transfer * worth[:, None, :])


@dataclass(frozen=True, eq=False)
class ShiftedTruth(LearningTruth):
    """Curves that jump once half of the tokens are read, a nat up or down in turn: other text.

    The jump depends on how much was read and not on what, so that the best mixture is the one without it.
    """

    def losses(self, tokens: FloatArray, /) -> FloatArray:
        """(..., d) losses after (..., d) tokens of each domain."""
        late = tokens.sum(axis=-1, keepdims=True) > self.budget / 2
        signs = np.where(np.arange(tokens.shape[-1]) % 2 == 0, 1.0, -1.0)
        return np.asarray(super().losses(tokens) + np.where(late, signs, 0.0))
