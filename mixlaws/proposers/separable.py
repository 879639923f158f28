"""The optimum of a separable convex objective under bounds and caps, by bisection on one multiplier.

    min_w  sum_j g_j(w_j) + lambda KL(w || q)    subject to  l <= w <= u, sum(w) = 1

Source: BiMix (Ge et al. 2024, arXiv:2405.14908, section on optimised mixtures), where g_j is a sum of
A_j w_j^(-alpha_j) and the conditions of Karush, Kuhn and Tucker are alpha_j A_j w_j^(-alpha_j - 1) = nu for
every domain off its bounds. Here g_j is any convex function, and w_j(nu) is clipped to the bounds of j
before the sum is taken: as that sum grows with the slope that domains share, one bisection finds the
multiplier of the free domains, and no domain has to be fixed and the rest solved again.

Objectives of the own shares are separable (BiMix), and so are sums of responses to every domain (additive,
transfer). Whether a predictor is, and whether it is convex, is looked at on random mixtures. A domain that
serves no target, or whose power is zero, gets its lower bound: give every domain one that must not vanish.
Under groups or a distance one multiplier is not enough; the convex search takes over, with the same minimum.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from mixlaws.arrays import FloatArray
from mixlaws.errors import FitError, InvalidInputError
from mixlaws.estimator import DifferentiablePredictor, Predictor, Proposal
from mixlaws.problem import MixtureProblem
from mixlaws.proposers.convex import ConvexProposer
from mixlaws.proposers.simulate import scored
from mixlaws.proposers.towards_prior import towards_prior, with_slopes
from mixlaws.simplex import project

_LEAST = 1e-9  # share at which slopes are taken at zero, where a power law has none
_BISECTIONS = 60  # halvings of a share: far below rounding
_ROUNDS = 20  # each narrows the multiplier, whose range may span many powers of ten, to a 31st
_LEVELS = 32  # multipliers tried at once
_PROBES = 8


@dataclass(frozen=True)
class SeparableProposer:
    """Hyperparameters.

    Args:
        kl: lambda, nats per nat; none unless given, as published.
        spread: distance that further proposals keep from each other, as total variation.
    """

    kl: float = 0.0
    spread: float = 0.02

    def __post_init__(self) -> None:
        if not (np.isfinite(self.kl) and self.kl >= 0):
            raise InvalidInputError(f"kl is {self.kl}: use a finite value >= 0")
        if not 0 <= self.spread <= 1:
            raise InvalidInputError(f"spread is {self.spread}: use a total variation from 0 to 1")

    def propose(
        self, predictor: Predictor, problem: MixtureProblem, /, *, count: int, rng: np.random.Generator
    ) -> Sequence[Proposal]:
        """The minimum, then minima of a growing KL strength, towards the prior.

        Raises:
            FitError: the predictor has no derivatives, or its objective is not separable or not convex.
        """
        smooth = with_slopes(predictor)
        _check(smooth, problem, rng)
        if not problem.feasible.bounds_alone:
            search = ConvexProposer(kl=self.kl, spread=self.spread, starts=0)
            return search.propose(smooth, problem, count=count, rng=rng)

        def solve(allowed: MixtureProblem, strength: float) -> Proposal:
            return scored(_solve(smooth, allowed, strength), smooth, problem, details={"kl": strength})

        return towards_prior(solve, problem, kl=self.kl, spread=self.spread, count=count)


def _slopes(predictor: DifferentiablePredictor, problem: MixtureProblem, weights: FloatArray) -> FloatArray:
    """(n, d) derivatives of the objective, which for domain j depend on w_j alone."""
    return problem.objective(predictor.jacobian(np.maximum(weights, _LEAST)).transpose(0, 2, 1))


def _check(predictor: DifferentiablePredictor, problem: MixtureProblem, rng: np.random.Generator) -> None:
    d = len(problem.domains)
    ladder = np.linspace(0.01, 1.0, 12)[:, None] * np.ones(d)
    along = _slopes(predictor, problem, ladder)
    size = np.abs(along).max() + 1e-300
    name = type(predictor).__name__
    for _ in range(_PROBES):
        # Every domain at a share of its own: slopes must be those of the ladder at that share.
        rungs = rng.integers(0, len(ladder), size=d)
        mixed = _slopes(predictor, problem, ladder[rungs, np.arange(d)][None, :])[0]
        if np.abs(mixed - along[rungs, np.arange(d)]).max() > 1e-7 * size:
            raise FitError(
                f"the objective of {name} is no sum over domains: use the convex or the simulate proposer"
            )
    if np.diff(along, axis=0).min() < -1e-7 * size:
        raise FitError(f"the objective of {name} is not convex: use the simulate proposer")


def _solve(predictor: DifferentiablePredictor, problem: MixtureProblem, kl: float) -> FloatArray:
    """(d,) the minimum; shares grow with the slope that they are asked to have."""
    log_prior = np.log(np.maximum(problem.prior, 1e-6))

    def slopes(weights: FloatArray) -> FloatArray:
        push = kl * (np.log(np.maximum(weights, _LEAST)) - log_prior + 1)
        return np.asarray(_slopes(predictor, problem, weights) + push)

    def shares(levels: FloatArray) -> FloatArray:
        shape = (len(levels), len(problem.lower))
        low, high = np.broadcast_to(problem.lower, shape), np.broadcast_to(problem.caps, shape)
        for _ in range(_BISECTIONS):
            middle = 0.5 * (low + high)
            steep = slopes(middle) < levels[:, None]
            low, high = np.where(steep, middle, low), np.where(steep, high, middle)
        return low

    least = float(slopes(problem.lower[None, :]).min())
    most = float(slopes(problem.caps[None, :]).max())
    for _ in range(_ROUNDS):
        levels = np.linspace(least, most, _LEVELS)
        short = shares(levels).sum(axis=1) < 1
        at = min(max(int(short.sum()), 1), _LEVELS - 1)
        least, most = float(levels[at - 1]), float(levels[at])
    # Where domains are of no use at all, many mixtures are best; what is left goes to them evenly.
    return project(shares(np.array([least]))[0], problem.lower, problem.caps)
