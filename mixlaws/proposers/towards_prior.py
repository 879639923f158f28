"""Several mixtures of one search: the minimum, then minima ever nearer to the prior."""

from collections.abc import Callable, Sequence

import numpy as np

from mixlaws.errors import FitError, InfeasibleError, InvalidInputError
from mixlaws.estimator import DifferentiablePredictor, Predictor, Proposal
from mixlaws.problem import MixtureProblem

_ATTEMPTS = 8  # strengths that are tried for each proposal that is wanted


def towards_prior(
    solve: Callable[[MixtureProblem, float], Proposal],
    problem: MixtureProblem,
    /,
    *,
    kl: float,
    spread: float,
    count: int,
) -> Sequence[Proposal]:
    """Up to `count` minima, the KL strength doubled from one to the next.

    There are fewer where the minimum is nearly the prior, or caps leave little room.

    Args:
        solve: the minimum of a problem under a KL strength.
        problem: its problem.
        kl: first strength.
        spread: total variation that minima keep from each other.
        count: how many are wanted.

    Raises:
        InvalidInputError: the prior leaves out a domain that has a lower bound above 0, and kl > 0.
        InfeasibleError: the domains of the prior alone cannot hold a mixture, and kl > 0.
    """
    proposals: list[Proposal] = []
    strength = kl
    for _ in range(_ATTEMPTS * count):
        try:
            allowed = problem.on_prior_support() if strength > 0 else problem
        except (InfeasibleError, InvalidInputError):
            if proposals:
                break  # without the KL term there is a proposal, and towards this prior none
            raise
        solution = solve(allowed, strength)
        distances = [0.5 * np.abs(solution.weights - p.weights).sum() for p in proposals]
        if not distances or min(distances) >= spread:
            proposals.append(solution)
        if len(proposals) == count:
            break
        strength = max(2 * strength, 1e-3)
    return proposals


def with_slopes(predictor: Predictor, /) -> DifferentiablePredictor:
    """The predictor, as one that has derivatives.

    Raises:
        FitError: it has none.
    """
    if not isinstance(predictor, DifferentiablePredictor):
        raise FitError(f"{type(predictor).__name__} has no derivatives: use the simulate proposer")
    return predictor
