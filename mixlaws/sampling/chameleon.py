"""Chameleon: weights from the kernel ridge leverage scores of domain embeddings.

    K = H X X^T H,  H = I - 11^T / d          S_j = [K (K + lambda d I)^-1]_jj
    pre-training   w = softmax(1 / (s T)),    fine-tuning  w = softmax(s / T),    s = S / sum(S)

A row of X (d, e) is the mean embedding of a domain. A domain far from all others has a high leverage:
pre-training gives it little, fine-tuning much. The scores depend on the length of the embeddings against
lambda, and since s sums to 1, one temperature means more evenness the fewer domains there are.

Source: Xie et al. 2025, arXiv:2505.24844; formula and defaults as in the released code, where X is the mean
of 2048 samples of 512 tokens, mean-pooled from the middle layer of an 82M model.
"""

from dataclasses import dataclass
from typing import Literal

import numpy as np

from mixlaws.arrays import FloatArray
from mixlaws.errors import InvalidInputError
from mixlaws.problem import MixtureProblem
from mixlaws.sampling.rule import NOTHING, Statistic, Statistics, softmax_within

_SMALLEST_SCORE = 1e-12  # keeps the inverse finite


@dataclass(frozen=True)
class Chameleon:
    """Hyperparameters; the defaults are the published ones.

    Args:
        stage: pretraining prefers domains that are like the others, finetuning those that are not.
        ridge: lambda, in the unit of a squared embedding.
        temperature: T; None means 5 for pretraining and 0.2 for finetuning.
    """

    stage: Literal["pretraining", "finetuning"] = "pretraining"
    ridge: float = 10.0
    temperature: float | None = None

    def __post_init__(self) -> None:
        if self.stage not in {"pretraining", "finetuning"}:
            raise InvalidInputError(f"stage is {self.stage!r}: use pretraining or finetuning")
        if not (np.isfinite(self.ridge) and self.ridge > 0):
            raise InvalidInputError(f"ridge is {self.ridge}: use a finite value > 0")
        if self.temperature is not None and not (np.isfinite(self.temperature) and self.temperature > 0):
            raise InvalidInputError(f"temperature is {self.temperature}: use a finite value > 0, or None")

    @property
    def needs(self) -> frozenset[Statistic]:
        """One embedding for each domain."""
        return frozenset({"embeddings"})

    def mixture(self, problem: MixtureProblem, statistics: Statistics = NOTHING, /) -> FloatArray:
        """(d,) the mixture, filled into bounds and caps.

        Raises:
            InvalidInputError: there are no embeddings, or they are all alike.
        """
        embeddings = statistics.need("embeddings", (len(problem.domains), None))
        scores = leverage_scores(embeddings, ridge=self.ridge)
        if scores.sum() <= 0:
            raise InvalidInputError("all domains have the same embedding: no domain stands out")
        shares = scores / scores.sum()
        if self.stage == "finetuning":
            return softmax_within(shares / (self.temperature or 0.2), problem)
        return softmax_within(1 / (shares + _SMALLEST_SCORE) / (self.temperature or 5.0), problem)


def leverage_scores(embeddings: FloatArray, /, *, ridge: float) -> FloatArray:
    """(d,) kernel ridge leverage scores of embeddings (d, e) under the centred linear kernel, in [0, 1)."""
    centred = embeddings - embeddings.mean(axis=0)
    # K and (K + cI)^-1 share eigenvectors: S_j = sum_i u_ji^2 e_i / (e_i + c).
    vectors, singular, _ = np.linalg.svd(centred, full_matrices=False)
    values = singular**2
    return np.asarray(vectors**2 @ (values / (values + ridge * len(embeddings))))
