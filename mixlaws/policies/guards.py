"""Guards around a policy: what reaches it, and what may leave it. The arithmetic of a policy stays exact.

inward      domains with a non-finite loss are taken out of the feedback, absurd losses held at a ceiling
outward     w <- the nearest mixture, by ratio, with floor <= w_i <= ceiling for every domain
"""

from dataclasses import dataclass, replace

import numpy as np

from mixlaws.arrays import FloatArray
from mixlaws.errors import InvalidInputError
from mixlaws.policy import Feedback
from mixlaws.simplex import fill


@dataclass(frozen=True)
class Guards:
    """Limits that hold whatever a policy says.

    Args:
        floor: smallest weight of any domain.
        ceiling: largest weight of any domain.
        loss_ceiling: mean losses above it are held at it, nats per token. exp(20) is a perplexity of
            5e8, beyond any vocabulary; without it one bad batch owns the mixture of an exp-loss policy.
    """

    floor: float = 0.0
    ceiling: float = 1.0
    loss_ceiling: float = 20.0

    def __post_init__(self) -> None:
        if not 0 <= self.floor <= self.ceiling <= 1:
            raise InvalidInputError(
                f"floor {self.floor}, ceiling {self.ceiling}: need 0 <= floor <= ceiling <= 1"
            )
        if not self.loss_ceiling > 0:
            raise InvalidInputError(f"loss_ceiling is {self.loss_ceiling}: use a value > 0")

    def check(self, domain_count: int) -> None:
        """Check that the limits admit a mixture of that many domains.

        Raises:
            InvalidInputError: they admit none.
        """
        if self.floor * domain_count > 1 or self.ceiling * domain_count < 1:
            raise InvalidInputError(
                f"{domain_count} domains with floor {self.floor} and ceiling {self.ceiling} admit no mixture"
            )

    def admit(self, feedback: Feedback) -> Feedback:
        """The feedback without losses that are no numbers, and with none above the ceiling."""
        with np.errstate(invalid="ignore"):
            usable = np.isfinite(feedback.loss_sums) & (feedback.token_counts > 0)
        counts = np.where(usable, feedback.token_counts, 0)
        sums = np.where(usable, feedback.loss_sums, 0.0)
        return replace(feedback, token_counts=counts, loss_sums=np.minimum(sums, self.loss_ceiling * counts))

    def limit(self, weights: FloatArray) -> FloatArray:
        """(d,) weights within floor and ceiling; unchanged where they already are."""
        d = len(weights)
        if weights.min() >= self.floor and weights.max() <= self.ceiling:
            return weights
        lower, upper = np.full(d, self.floor), np.full(d, self.ceiling)
        return fill(np.maximum(weights, 1e-12), lower, upper)
