"""Entropy proxies: domains in proportion to the exponential of the entropy of their text.

    w_j = exp(H_j / T) / sum_i exp(H_i / T)

With the conditional entropy it is the mixture that BiMix starts from; of the four published entropies it
gave the lowest loss on both of their corpora. Joint entropy is the sum of the other two, so its mixture is
the normalised product of theirs.

Source: Ge et al. 2024, arXiv:2405.14908, appendix A; section 5.4 compares them.
"""

from dataclasses import dataclass
from typing import Literal, get_args

import numpy as np

from mixlaws.arrays import FloatArray
from mixlaws.errors import InvalidInputError
from mixlaws.problem import MixtureProblem
from mixlaws.sampling.rule import NOTHING, Statistic, Statistics, softmax_within

Kind = Literal["unigram_entropy", "joint_entropy", "conditional_entropy", "von_neumann_entropy"]


@dataclass(frozen=True)
class EntropyProxy:
    """Hyperparameters; the defaults are the published ones.

    Args:
        kind: which entropy.
        temperature: T, nats; above 1 the mixture is more even.
    """

    kind: Kind = "conditional_entropy"
    temperature: float = 1.0

    def __post_init__(self) -> None:
        if self.kind not in get_args(Kind):
            raise InvalidInputError(f"kind is {self.kind!r}: use one of {', '.join(get_args(Kind))}")
        if not (np.isfinite(self.temperature) and self.temperature > 0):
            raise InvalidInputError(f"temperature is {self.temperature}: use a finite value > 0")

    @property
    def needs(self) -> frozenset[Statistic]:
        """The entropy that was chosen."""
        return frozenset({self.kind})

    def mixture(self, problem: MixtureProblem, statistics: Statistics = NOTHING, /) -> FloatArray:
        """(d,) softmax of the entropies, filled into bounds and caps."""
        entropies = statistics.need(self.kind, (len(problem.domains),))
        return softmax_within(entropies / self.temperature, problem)
