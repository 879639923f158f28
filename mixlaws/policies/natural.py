"""The natural mixture: every domain by its tokens, w_j = N_j / sum(N), whatever the prior of the problem."""

from dataclasses import dataclass
from typing import ClassVar

from mixlaws.arrays import FloatArray
from mixlaws.policies.fixed import FixedPolicy
from mixlaws.problem import MixtureProblem
from mixlaws.simplex import fill


@dataclass(frozen=True)
class NaturalPolicy(FixedPolicy):
    """Follows the shares of tokens, filled into bounds and caps."""

    name: ClassVar[str] = "natural"

    def mixture(self, problem: MixtureProblem, /) -> FloatArray:
        """(d,) shares of tokens."""
        return fill(problem.domains.natural, problem.lower, problem.caps)
