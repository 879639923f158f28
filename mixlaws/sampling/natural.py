"""The natural mixture: every domain in proportion to its tokens.

    w_j = N_j / sum_i N_i

It is what training on everything once gives, and what every other rule is compared with.
"""

from dataclasses import dataclass

from mixlaws.arrays import FloatArray
from mixlaws.problem import MixtureProblem
from mixlaws.sampling.rule import NOTHING, Statistic, Statistics
from mixlaws.simplex import fill


@dataclass(frozen=True)
class Natural:
    """No hyperparameters."""

    @property
    def needs(self) -> frozenset[Statistic]:
        """Nothing beyond token counts."""
        return frozenset()

    def mixture(self, problem: MixtureProblem, statistics: Statistics = NOTHING, /) -> FloatArray:  # noqa: ARG002 - protocol
        """(d,) shares of the tokens, whatever the prior, filled into bounds and caps."""
        return fill(problem.domains.natural, problem.lower, problem.caps)
