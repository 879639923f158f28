"""The mixture sampler of RegMix.

Source: Liu et al. 2024, arXiv:2407.01492, and the defaults of their published script. Candidates are
drawn from Dirichlet distributions around the tempered prior, one of 15 log-spaced concentrations each;
a candidate over a bound is refused, weights under a minimum become exact zeros, the rest is rounded to
multiples of that minimum. More than half of all weights end as exact zeros.

Two things differ on purpose: rounding is followed by renormalisation, since weights must sum to 1, and
repeats are removed by exact equality of the rounded mixtures.
"""

from dataclasses import dataclass

import numpy as np

from mixlaws.arrays import FloatArray
from mixlaws.errors import InfeasibleError, InvalidInputError
from mixlaws.problem import MixtureProblem
from mixlaws.simplex import normalise, tempered

_CONCENTRATIONS = 15
_ROUNDS = 8  # batches of candidates before the bounds count as too tight for this sampler


@dataclass(frozen=True)
class RegMixSampler:
    """Hyperparameters of the sampler; the defaults are the published ones.

    Args:
        temperature: exponent of the prior.
        min_strength: smallest total concentration of the Dirichlet, times the tempered prior.
        max_strength: largest one.
        candidates_per_mixture: candidates that are drawn for each mixture asked for.
        max_usage: largest weight as a multiple of the untempered prior.
        minimum: weights below become zero, and others are rounded to its multiples.
    """

    temperature: float = 0.5
    min_strength: float = 0.1
    max_strength: float = 5.0
    candidates_per_mixture: int = 100
    max_usage: float = 15.0
    minimum: float = 2e-4

    def __post_init__(self) -> None:
        if not 0 < self.min_strength <= self.max_strength:
            raise InvalidInputError(
                f"strengths {self.min_strength} to {self.max_strength}: need 0 < min <= max"
            )
        if not (self.candidates_per_mixture >= 1 and self.max_usage > 0):
            raise InvalidInputError(
                f"candidates_per_mixture {self.candidates_per_mixture}, max_usage {self.max_usage}: "
                "need at least 1 and > 0"
            )
        if not 0 < self.minimum < 0.5:
            raise InvalidInputError(f"minimum is {self.minimum}: use a value between 0 and 0.5")

    def design(self, problem: MixtureProblem, /, *, count: int, rng: np.random.Generator) -> FloatArray:
        """(count, d) distinct mixtures within bounds and caps.

        Raises:
            InfeasibleError: the bounds refuse nearly every candidate; the message tells the share.
        """
        upper = np.minimum(problem.caps, self.max_usage * problem.prior)
        kept = np.empty((0, len(problem.domains)))
        drawn = accepted = 0
        for _ in range(_ROUNDS):
            candidates = self._candidates(problem, count * self.candidates_per_mixture, rng)
            inside = np.all((candidates <= upper) & (candidates >= problem.lower), axis=1)
            drawn, accepted = drawn + len(candidates), accepted + int(inside.sum())
            kept = np.unique(np.concatenate([kept, self._rounded(candidates[inside], problem)]), axis=0)
            if len(kept) >= count:
                # In random order: a sweep that is read half-way must not hold one corner of the simplex.
                return np.asarray(kept[rng.choice(len(kept), size=count, replace=False)])
        raise InfeasibleError(
            f"{accepted} of {drawn} candidates are within the bounds, {len(kept)} of them distinct; "
            f"{count} were asked for: loosen the bounds or use the sobol design"
        )

    def _candidates(self, problem: MixtureProblem, count: int, rng: np.random.Generator) -> FloatArray:
        centre = tempered(problem.prior, exponent=self.temperature)
        strengths = np.geomspace(self.min_strength, self.max_strength, _CONCENTRATIONS)
        strength = strengths[rng.integers(_CONCENTRATIONS, size=count)]
        # Gamma draws of tiny shape underflow to 0 in every entry; such rows carry no mixture.
        gammas = rng.standard_gamma(strength[:, None] * centre)
        return normalise(gammas[gammas.sum(axis=1) > 0])

    def _rounded(self, mixtures: FloatArray, problem: MixtureProblem) -> FloatArray:
        thinned = normalise(np.where(mixtures < self.minimum, 0.0, mixtures))
        rounded = normalise(np.round(thinned / self.minimum) * self.minimum)
        inside = problem.feasible.contains(rounded)
        if not inside.all():
            rounded[~inside] = problem.feasible.project(rounded[~inside])
        return rounded
