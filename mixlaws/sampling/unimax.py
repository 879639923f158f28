"""UniMax: as even a mixture as the tokens allow when no domain is read more than E times.

    w_j = min(c, E N_j / R)    with c such that the weights sum to 1

A budget of R tokens is poured over the domains of N_j tokens like water: all rise together, and one that
has been read E times stays where it is. The published algorithm visits the domains from the smallest and
gives each the smaller of an even share of what is left and E N_j, which is the same mixture. Where all
domains together hold less than R / E tokens, it rescales and so exceeds E in silence; here it is an error.

Source: Chung et al. 2023, arXiv:2304.09151, algorithm 1.
"""

from dataclasses import dataclass, replace

import numpy as np

from mixlaws.arrays import FloatArray
from mixlaws.errors import InvalidInputError
from mixlaws.problem import MixtureProblem
from mixlaws.sampling.rule import NOTHING, Statistic, Statistics


@dataclass(frozen=True)
class UniMax:
    """Hyperparameters.

    Args:
        max_epochs: how often a domain may be read, beside what the problem allows it. Beyond about 4 times
            repeated text is worth visibly less than new text (Muennighoff et al. 2023, arXiv:2305.16264).
    """

    max_epochs: float = 4.0

    def __post_init__(self) -> None:
        if not self.max_epochs > 0:
            raise InvalidInputError(f"max_epochs is {self.max_epochs}: use a value > 0")

    @property
    def needs(self) -> frozenset[Statistic]:
        """Nothing beyond token counts."""
        return frozenset()

    def mixture(self, problem: MixtureProblem, statistics: Statistics = NOTHING, /) -> FloatArray:  # noqa: ARG002 - protocol
        """(d,) the mixture.

        Raises:
            InvalidInputError: the problem has no final token budget.
            InfeasibleError: the domains hold too few tokens for the budget.
        """
        if problem.final_tokens is None:
            raise InvalidInputError("UniMax shares out a token budget: give the problem its final_tokens")
        d = len(problem.domains)
        allowed = np.full(d, self.max_epochs)
        if problem.max_epochs is not None:
            allowed = np.minimum(allowed, problem.max_epochs)
        capped = replace(problem, max_epochs=allowed)
        return capped.feasible.fill(np.ones(d))
