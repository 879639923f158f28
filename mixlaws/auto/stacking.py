"""Weights of members by what they predict of runs that they did not see, for every target its own.

    common:    min_a  sum over runs and targets of (e_t / s_t)^2 + shrinkage B |a - 1/m|^2
    target t:  min_a  sum over runs of (e_t / s_t)^2 + pull B_t |a - common|^2,      a on the simplex

with e the error of the weighted prediction, s the spread of a target and B the squared error of the best
member. Few runs determine few weights: all targets together determine the common ones, from which those of
a target move as far as its own runs ask for. Source: stacked regressions (Breiman 1996), convex.
"""

import numpy as np
from scipy.optimize import nnls

from mixlaws.arrays import FloatArray

_WORST = 10.0  # spreads that one held-out run may count: a fit that runs wild says enough with ten
_ADMITTED = 3.0  # members whose squared error is beyond this multiple of the best one's are left out
_SHRINKAGE = 0.02
_PULL = 1.0
_SUM_WEIGHT = 1e4  # makes weights sum to 1 before they are divided by their sum
_NEGLIGIBLE = 1e-4
_CERTAIN = 2.0  # standard errors: with some seven members one is always a little better than a constant


def standardised_errors(predicted: FloatArray, values: FloatArray, coefficients: FloatArray) -> FloatArray:
    """(m, n, t + 1) errors of m members in units of spreads, the objective's last.

    The squares of the targets' add up to their mean, so that the objective counts as much as all of them.

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
    """(m, t) weights, of each target on the simplex, for (m, n, t) errors."""
    m, _, t = errors.shape
    losses = (errors**2).sum(axis=(1, 2))
    admitted = np.flatnonzero(losses <= _ADMITTED * losses.min() + 1e-300)
    part = errors[admitted]
    common = _nearest(part.reshape(len(part), -1), np.full(len(part), 1.0 / len(part)), _SHRINKAGE)
    weights = np.zeros((m, t))
    weights[admitted] = np.stack([_nearest(part[:, :, k], common, _PULL) for k in range(t)], axis=1)
    weights = np.where(weights > _NEGLIGIBLE, weights, 0.0)
    return np.asarray(weights / weights.sum(axis=0))


def _nearest(errors: FloatArray, towards: FloatArray, pull: float) -> FloatArray:
    """(m,) weights on the simplex of least squared error for (m, k) errors, pulled towards others."""
    gram = errors @ errors.T
    best = float(np.diag(gram).min())
    if not best > 0:  # a member without any error, or a target that does not vary
        return towards
    root = np.linalg.cholesky(gram / best + pull * np.eye(len(gram)))
    rows = np.vstack([root.T, np.full(len(gram), _SUM_WEIGHT)])
    found, _ = nnls(rows, np.append(np.linalg.solve(root, pull * towards), _SUM_WEIGHT))
    return np.asarray(found / found.sum())


def beats(errors: FloatArray, reference: FloatArray) -> bool:
    """Whether a member's (n, t + 1) errors are surely smaller than those of a reference, run by run."""
    gains = (reference**2).sum(axis=1) - (errors**2).sum(axis=1)
    return bool(gains.mean() > _CERTAIN * gains.std(ddof=1) / np.sqrt(len(gains)))


def chosen(errors: FloatArray, fallback: int, weighed: FloatArray | None = None) -> FloatArray:
    """(m, t) weights for (m, n, t + 1) errors: all on the fallback unless some member surely beats it.

    The objective helps to say whether anything is known, and has no say in the weights: it is one number a
    run, the noise of all targets in it, where the targets are many.

    Args:
        errors: by which members are compared with the fallback.
        fallback: number of that member.
        weighed: (m, l, t + 1) errors by which they are weighed, if others.
    """
    if any(beats(row, errors[fallback]) for row in errors):
        return stacked((errors if weighed is None else weighed)[:, :, :-1])
    return np.repeat(np.eye(len(errors))[fallback][:, None], errors.shape[2] - 1, axis=1)
