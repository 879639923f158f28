"""PiKE: domains whose gradients are long get more, those whose gradients are noisy get less.

    w_i  proportional to  w_i exp(zeta1 |g_i|^2 - zeta2 / (2 b) sigma_i^2)

with g_i the mean gradient of domain i, sigma_i^2 the squared deviation of one sample's gradient from it, and
b the samples of a step. It is the first-order form of a bound on the fall of the summed loss, for domains
whose gradients hardly conflict; without its second term noisy domains with long gradients win. The start is
the prior: the paper starts from equal weights or from tuned ones, of which the latter did better.

Estimates below 0 are taken as they are: logarithms of weights add up, so that noise of either sign cancels,
and to hold it at 0 would push up what is noisy. A domain that was not observed keeps its weight. One update
is made for every feedback that has norms, however many steps it covers: the trainer chooses the interval, T0
in the paper. The size of data sets is ignored: limit epochs where it matters.

Source: Li et al. 2025, arXiv:2502.06244, Algorithm 1; no released code. Unverified but for the formula:
zeta1 and zeta2 were tuned, and we know no published values. The variant that balances losses is left out.
"""

from dataclasses import dataclass
from typing import ClassVar

import numpy as np

from mixlaws.arrays import FloatArray
from mixlaws.errors import InvalidInputError
from mixlaws.feedback import Feedback, Signal
from mixlaws.policies.arithmetic import multiplied_where_known
from mixlaws.policies.mixture import MixturePolicy


@dataclass(frozen=True)
class Pike(MixturePolicy):
    """Hyperparameters; both factors are to be tuned, since norms depend on the model.

    Args:
        zeta1: what a squared gradient is worth.
        zeta2: what its variance costs.
        batch: b, samples of a step; by default those of the probe.
    """

    name: ClassVar[str] = "pike"

    zeta1: float = 1.0
    zeta2: float = 1.0
    batch: int | None = None

    def __post_init__(self) -> None:
        factors = np.array([self.zeta1, self.zeta2])
        if not (np.isfinite(factors).all() and factors.min() >= 0):
            raise InvalidInputError(f"zeta1 {self.zeta1}, zeta2 {self.zeta2}: need finite values >= 0")
        if self.batch is not None and self.batch < 1:
            raise InvalidInputError(f"batch is {self.batch}: use at least 1, or none for that of the probe")

    @property
    def signals(self) -> frozenset[Signal]:
        """Squared norms and variances of gradients."""
        return frozenset({Signal.GRAD_NORMS})

    def moved(self, weights: FloatArray, feedback: Feedback, /) -> FloatArray | None:
        """(d,) the mixture after one more feedback."""
        norms = feedback.grad_norms
        if norms is None:
            return None
        batch = norms.batch if self.batch is None else self.batch
        with np.errstate(over="ignore", invalid="ignore"):
            scores = self.zeta1 * norms.square_norms - self.zeta2 / (2 * batch) * norms.variances
        return multiplied_where_known(weights, scores)
