"""Temperature sampling: the prior raised to a power.

    w_j  proportional to  q_j^a

a = 1 keeps the prior q, a = 0 makes the domains that it holds equal. Multilingual models state it as a
temperature 1 / a: 3.33 for mT5 and ByT5 (stated in Chung et al. 2023, arXiv:2304.09151, section 1).
"""

from dataclasses import dataclass

import numpy as np

from mixlaws.arrays import FloatArray
from mixlaws.errors import InvalidInputError
from mixlaws.problem import MixtureProblem
from mixlaws.sampling.rule import NOTHING, Statistic, Statistics


@dataclass(frozen=True)
class Temperature:
    """Hyperparameters.

    Args:
        exponent: power of the prior; the default is that of mT5.
    """

    exponent: float = 0.3

    def __post_init__(self) -> None:
        if not (np.isfinite(self.exponent) and self.exponent >= 0):
            raise InvalidInputError(f"exponent is {self.exponent}: use a finite value >= 0")

    @property
    def needs(self) -> frozenset[Statistic]:
        """Nothing beyond the prior."""
        return frozenset()

    def mixture(self, problem: MixtureProblem, statistics: Statistics = NOTHING, /) -> FloatArray:  # noqa: ARG002 - protocol
        """(d,) the tempered prior, filled into bounds and caps; a domain outside the prior stays out."""
        held = problem.prior > 0
        # 0 to the power 0 is 1: without the mask an exponent of 0 would bring absent domains in.
        shares = np.where(held, np.power(np.where(held, problem.prior, 1.0), self.exponent), 0.0)
        return problem.feasible.fill(shares)
