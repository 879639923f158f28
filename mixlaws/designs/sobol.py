"""A space-filling design: scrambled Sobol points mapped to Dirichlet mixtures on the capped simplex.

A Sobol point has d + 1 coordinates. The first picks a concentration, evenly in its logarithm; the others
go through the quantiles of gamma distributions, whose normalised values are Dirichlet distributed around
a centre. The centre is part uniform and part tempered prior: around the tempered prior alone the smallest
domains are hardly sampled, and an optimum that lies outside the sampled cloud is never found.

Points over a bound are skipped, which keeps the rest evenly spread; only where bounds refuse nearly all
of them are the missing mixtures projected onto what is feasible.
"""

from dataclasses import dataclass

import numpy as np
from scipy.stats import gamma, qmc

from mixlaws.arrays import FloatArray
from mixlaws.errors import InvalidInputError
from mixlaws.problem import MixtureProblem
from mixlaws.simplex import normalise, tempered

_OVERSAMPLING = 16
_SMALLEST_QUANTILE = 1e-12


@dataclass(frozen=True)
class SobolDesign:
    """Hyperparameters of the design.

    Args:
        uniform_share: share of the uniform mixture in the centre.
        temperature: exponent of the prior in the rest of the centre.
        min_concentration: total concentration of the widest Dirichlet.
        max_concentration: total concentration of the narrowest one.
    """

    uniform_share: float = 0.5
    temperature: float = 0.5
    min_concentration: float = 4.0
    max_concentration: float = 50.0

    def __post_init__(self) -> None:
        if not 0 <= self.uniform_share <= 1:
            raise InvalidInputError(f"uniform_share is {self.uniform_share}: use a value from 0 to 1")
        if not 0 < self.min_concentration <= self.max_concentration:
            raise InvalidInputError(
                f"concentrations {self.min_concentration} to {self.max_concentration}: need 0 < min <= max"
            )

    def design(self, problem: MixtureProblem, /, *, count: int, rng: np.random.Generator) -> FloatArray:
        """(count, d) mixtures within bounds and caps."""
        d = len(problem.domains)
        engine = qmc.Sobol(d + 1, scramble=True, rng=rng)
        # Sobol points are balanced in powers of two only.
        drawn = engine.random_base2(int(np.ceil(np.log2(count * _OVERSAMPLING))))
        mixtures = self._mixtures(problem, drawn)
        inside = problem.feasible.contains(mixtures)
        kept = mixtures[inside][:count]
        if len(kept) < count:
            outside = mixtures[~inside][: count - len(kept)]
            kept = np.concatenate([kept, problem.feasible.project(outside)])
        return np.asarray(kept)

    def _mixtures(self, problem: MixtureProblem, points: FloatArray) -> FloatArray:
        d = len(problem.domains)
        centre = self.uniform_share / d + (1 - self.uniform_share) * tempered(
            problem.prior, exponent=self.temperature
        )
        low, high = np.log(self.min_concentration), np.log(self.max_concentration)
        concentration = np.exp(low + points[:, 0] * (high - low))
        quantiles = np.clip(points[:, 1:], _SMALLEST_QUANTILE, 1 - _SMALLEST_QUANTILE)
        shapes = concentration[:, None] * centre
        # A domain that the centre leaves out stays out; scipy knows no gamma distribution of shape 0.
        draws = np.where(shapes > 0, gamma.ppf(quantiles, np.where(shapes > 0, shapes, 1.0)), 0.0)
        return normalise(np.maximum(draws, np.where(centre > 0, np.finfo(np.float64).tiny, 0.0)))
