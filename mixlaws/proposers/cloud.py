"""Clouds of feasible mixtures, for questions that no slope answers.

One Dirichlet covers a simplex of many domains badly: a strong one never leaves its centre, a weak one never
leaves the corners. A cloud therefore takes its strengths log-uniformly over three orders of magnitude.
"""

import numpy as np

from mixlaws.arrays import FloatArray
from mixlaws.problem import MixtureProblem
from mixlaws.simplex import normalise

_WEAKEST, _STRONGEST = 0.5, 500.0  # total concentration, for each domain that there is
_LEAST_SHARE = 0.02  # of a domain in the centre, relative to uniform: none is left out for good


def cloud(
    problem: MixtureProblem, centre: FloatArray, /, *, count: int, rng: np.random.Generator
) -> FloatArray:
    """(count, d) feasible mixtures around a centre (d,), from near to far."""
    d = len(problem.domains)
    strength = _WEAKEST * (_STRONGEST / _WEAKEST) ** rng.uniform(size=(count, 1)) * d
    shares = normalise(centre + _LEAST_SHARE / d)
    gammas = rng.standard_gamma(strength * shares)
    drawn = normalise(gammas + 1e-12)  # a whole row may underflow at the smallest strengths
    return problem.feasible.project(drawn)
