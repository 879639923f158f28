"""The search of TiKMiX-M: TiKMiX-D's problem again and again, with gains made linear at each point."""

import numpy as np

from mixlaws.arrays import FloatArray
from mixlaws.policies.tikmix_regression import Interactions
from mixlaws.policies.tikmix_solver import SLACK, Strengths, best_mixture

_ROUNDS = 2  # of gains made linear anew; each costs as much as TiKMiX-D, and the next measurement goes on
_PARTS = (1.0, 0.5, 0.25, 0.125)  # of the way to a solution that are tried


def climbed(model: Interactions, now: FloatArray, additive: FloatArray, strengths: Strengths) -> FloatArray:
    """(d,) the mixture of a largest objective that is found from the better of two."""
    least = model.gains(now)

    def value(weights: FloatArray) -> float:
        gains = model.gains(weights)
        return strengths.value(gains, weights) if np.all(gains >= least - 3 * SLACK) else -np.inf

    weights = additive if value(additive) > value(now) else now
    for _ in range(_ROUNDS):
        gains, slopes = model.gains(weights), model.jacobian(weights)
        # Weights sum to 1, so that a constant can be added to what each domain gives.
        aim = best_mixture(slopes + (gains - weights @ slopes), weights, strengths, gains - least)
        trials = [weights + part * (aim - weights) for part in _PARTS]
        better = next((trial for trial in trials if value(trial) > value(weights) + SLACK), None)
        if better is None:
            break
        weights = better
    return np.asarray(weights / weights.sum())
