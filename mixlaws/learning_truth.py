"""Known learning curves: what a model that has read so many tokens of each domain loses on each.

    L_i(n) = c_i + b_i (1 + e_i / s_i)^-a_i        e_i = sum_j T_ij n'_j

with n' the worth of repeated tokens (`mixlaws.repetition`) and T_ij >= 0 what a token of domain j teaches
about domain i. Pure noise has b_i = 0. Nothing depends on the order of tokens: a schedule ends where its mean
mixture does, and none ends below the best fixed one. L is convex in n, since n' is concave and T is not
negative.
"""

from dataclasses import dataclass

import numpy as np

from mixlaws.arrays import FloatArray, JsonObject
from mixlaws.errors import InvalidInputError
from mixlaws.repetition import effective_tokens, marginal_value


@dataclass(frozen=True, eq=False)
class LearningTruth:
    """Parameters of the curves, and the tokens of a run on a fixed mixture.

    Args:
        floor: (d,) c, irreducible losses, nats per token.
        height: (d,) b, nats that can be learnt.
        scale: (d,) s, effective tokens until which a curve is flat.
        exponent: (d,) a.
        transfer: (d, d) T, row i for the loss, column j for the domain that is read.
        unique: (d,) tokens that each domain holds.
        budget: tokens that weights are shares of.

    Raises:
        InvalidInputError: a domain's curve would rise.
    """

    floor: FloatArray
    height: FloatArray
    scale: FloatArray
    exponent: FloatArray
    transfer: FloatArray
    unique: FloatArray
    budget: float

    def __post_init__(self) -> None:
        least = {name: float(np.min(getattr(self, name))) for name in ("height", "exponent", "transfer")}
        if min(least.values()) < 0 or np.min(self.scale) <= 0:
            raise InvalidInputError(
                f"least height, exponent and transfer are {tuple(least.values())}, least scale "
                f"{np.min(self.scale)}: need >= 0, and a scale > 0"
            )

    def losses(self, tokens: FloatArray, /) -> FloatArray:
        """(..., d) losses after (..., d) tokens of each domain."""
        return np.asarray(self.floor + self.height * self._grown(tokens) ** -self.exponent)

    def predict(self, weights: FloatArray, /) -> FloatArray:
        """(n, d) final losses of runs on fixed mixtures (n, d)."""
        return self.losses(weights * self.budget)

    def jacobian(self, weights: FloatArray, /) -> FloatArray:
        """(n, d, d) their derivatives; the last axis is that of the weights."""
        tokens = weights * self.budget
        steepness = self.height * self.exponent / self.scale
        by_effective = -steepness * self._grown(tokens) ** (-self.exponent - 1)
        worth = marginal_value(tokens, self.unique) * self.budget
        return np.asarray(by_effective[:, :, None] * self.transfer * worth[:, None, :])

    def dump(self) -> JsonObject:
        """Parameters as JSON."""
        names = ("floor", "height", "scale", "exponent", "transfer", "unique")
        return {name: getattr(self, name).tolist() for name in names} | {"budget": self.budget}

    def _grown(self, tokens: FloatArray) -> FloatArray:
        """(..., d) 1 + e / s."""
        return np.asarray(1 + effective_tokens(tokens, self.unique) @ self.transfer.T / self.scale)
