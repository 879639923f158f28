"""Weights of members by what they predict of runs that they did not see.

    min_a  sum over runs of [ (e_o / s_o)^2 + mean_t (e_t / s_t)^2 ] + shrinkage |a|^2,   a on the simplex

with e the error of the weighted prediction of the objective (o) and of each target (t), s their spreads.
Source: stacked regressions (Breiman 1996) with a convex combination. The objective counts as much as all
targets together: scores by target look excellent for every method, and the decision turns on it.
"""

import numpy as np

from mixlaws.arrays import FloatArray
from mixlaws.simplex import project

_WORST = 10.0  # spreads that one held-out run may count: a fit that runs wild says enough with ten
_ADMITTED = 3.0  # members whose squared error is beyond this multiple of the best one's are left out
_SHRINKAGE = 0.02
_STEPS = 2000
_CERTAIN = 2.0  # standard errors: with some seven members one is always a little better than a constant


def standardised_errors(predicted: FloatArray, values: FloatArray, coefficients: FloatArray) -> FloatArray:
    """(m, n, t + 1) errors of m members in units of spreads, so that their squares add up to the loss.

    Args:
        predicted: (m, n, t) held-out predictions.
        values: (n, t) measured values.
        coefficients: (t,) of the objective.
    """
    spread, objective = values.std(axis=0), values @ coefficients
    by_target = (predicted - values) / np.where(spread > 0, spread, 1.0) / np.sqrt(values.shape[1])
    overall = (predicted @ coefficients - objective) / (objective.std() or 1.0)
    everything = np.concatenate([by_target, overall[:, :, None]], axis=2)
    return np.asarray(np.clip(everything, -_WORST, _WORST))


def stacked(errors: FloatArray) -> FloatArray:
    """(m,) weights on the simplex for (m, n, t + 1) errors."""
    m = len(errors)
    losses = (errors**2).sum(axis=(1, 2))
    admitted = np.flatnonzero(losses <= _ADMITTED * losses.min() + 1e-300)
    part = errors[admitted].reshape(len(admitted), -1)
    matrix = part @ part.T
    matrix += _SHRINKAGE * losses.min() * np.eye(len(part))
    free = np.ones(len(part))
    step = 1.0 / max(float(np.linalg.eigvalsh(matrix)[-1]), 1e-300)
    found = free / len(part)
    ahead, momentum = found, 1.0
    for _ in range(_STEPS):
        moved = project(ahead - step * (matrix @ ahead), 0 * free, free)
        next_momentum = (1 + np.sqrt(1 + 4 * momentum**2)) / 2
        ahead = moved + (momentum - 1) / next_momentum * (moved - found)
        found, momentum = moved, next_momentum
    weights = np.zeros(m)
    weights[admitted] = np.where(found > 1e-4, found, 0.0)
    return np.asarray(weights / weights.sum())


def beats(errors: FloatArray, reference: FloatArray) -> bool:
    """Whether a member's (n, t + 1) errors are surely smaller than those of a reference, run by run."""
    gains = (reference**2).sum(axis=1) - (errors**2).sum(axis=1)
    return bool(gains.mean() > _CERTAIN * gains.std(ddof=1) / np.sqrt(len(gains)))


def chosen(errors: FloatArray, fallback: int, weighed: FloatArray | None = None) -> FloatArray:
    """(m,) weights for (m, n, t + 1) errors: all on the fallback unless some member surely beats it.

    Args:
        errors: by which members are compared with the fallback.
        fallback: number of that member.
        weighed: (m, l, t + 1) errors by which they are weighed, if others.
    """
    if any(beats(row, errors[fallback]) for row in errors):
        return stacked(errors if weighed is None else weighed)
    return np.asarray(np.eye(len(errors))[fallback])
