"""Leave out weights that are too small to matter, and stay feasible.

Setting small weights to zero and dividing by the new sum scales the others up, beyond caps that held
before. Here the rest is filled again: a capped domain keeps its cap, and the others take up the excess.
"""

from dataclasses import replace

import numpy as np

from mixlaws.arrays import BoolArray, FloatArray
from mixlaws.errors import InvalidInputError
from mixlaws.feasible.feasible_set import FeasibleSet
from mixlaws.problem import MixtureProblem


def prune(weights: FloatArray, problem: MixtureProblem, /, *, minimum: float = 1e-3) -> FloatArray:
    """(d,) the mixture without weights below a minimum.

    A domain with a lower bound stays; of the others below the minimum the largest come back where the caps
    of the rest leave no mixture otherwise.

    Args:
        weights: (d,) a mixture within the bounds and caps of the problem.
        problem: whose bounds and caps hold.
        minimum: smallest weight that is kept.

    Raises:
        InvalidInputError: the minimum is not a weight.
        InfeasibleError: domains with a positive weight cannot hold the whole mixture.
    """
    if not 0 <= minimum < 1:
        raise InvalidInputError(f"minimum is {minimum}: use a weight from 0 to below 1")
    kept = (weights >= minimum) | (problem.lower > 0)
    for domain in np.argsort(-weights, kind="stable"):
        if not _only(kept, problem).empty:
            break
        kept[domain] = True
    return _only(kept, problem).fill(np.where(kept, weights, 0.0))


def _only(kept: BoolArray, problem: MixtureProblem) -> FeasibleSet:
    """The feasible mixtures of the domains that are kept."""
    return replace(problem.feasible, upper=np.where(kept, problem.caps, 0.0))
