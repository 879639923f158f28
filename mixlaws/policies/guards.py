"""Guards around a policy: what reaches it, and what may leave it. The arithmetic of a policy stays exact.

inward      domains with a non-finite measurement count as not observed, absurd means are held at a ceiling
outward     w <- the nearest mixture, by ratio, with floor <= w_i <= ceiling for every domain
"""

from dataclasses import dataclass, replace
from typing import Any, TypeVar

import numpy as np

from mixlaws.arrays import FloatArray
from mixlaws.errors import InvalidInputError
from mixlaws.feedback import Feedback, TokenSums
from mixlaws.simplex import fill

M = TypeVar("M", bound=TokenSums)


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
        """The feedback without measurements that are no numbers, and with no mean above the ceiling."""
        training = self._admitted(feedback.training)
        changed: dict[str, Any] = {"loss_sums": training.sums, "token_counts": training.counts}
        for name in ("excess_clipped", "excess", "evaluation"):
            measured: TokenSums | None = getattr(feedback, name)
            if measured is not None:
                changed[name] = self._admitted(measured)
        if feedback.loss_squares is not None:
            known = np.isfinite(feedback.loss_squares) & training.observed
            changed["loss_squares"] = np.where(known, feedback.loss_squares, np.nan)
        if feedback.sequence_counts is not None:
            changed["sequence_counts"] = np.maximum(feedback.sequence_counts, 0)
        return replace(feedback, **changed)

    def limit(self, weights: FloatArray) -> FloatArray:
        """(d,) weights within floor and ceiling; unchanged where they already are."""
        d = len(weights)
        if weights.min() >= self.floor and weights.max() <= self.ceiling:
            return weights
        lower, upper = np.full(d, self.floor), np.full(d, self.ceiling)
        return fill(np.maximum(weights, 1e-12), lower, upper)

    def _admitted(self, measured: M) -> M:
        usable = np.isfinite(measured.sums) & (measured.counts > 0)
        counts = np.where(usable, measured.counts, 0)
        sums = np.where(usable, measured.sums, 0.0)
        return replace(measured, sums=np.minimum(sums, self.loss_ceiling * counts), counts=counts)
