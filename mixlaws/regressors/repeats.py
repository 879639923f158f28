"""Runs of one mixture gathered into its mean, with the noise that its repeats show.

    v_g = (d_0 s_0^2 + d_g s_g^2) / (d_0 + d_g),    r_g = v_g / pooled variance,

with s_g^2 the variance between the repeats of mixture g and d_g its degrees of freedom. Two or three
repeats say little of a variance, hence the prior, a scaled inverse chi-square with d_0 and s_0 from the
spread of all log s_g^2: where they differ no more than luck explains, d_0 is infinite and every r_g is 1.
A mixture that was run once has the pooled variance. Deviations are relative where all values of a target
are positive, since such values are fitted as logarithms.

Source: Smyth 2004, "Linear models and empirical Bayes methods", Statistical Applications in Genetics and
Molecular Biology 3 (1), article 3, section 6 (section unverified).
"""

from dataclasses import dataclass

import numpy as np
from scipy.optimize import brentq
from scipy.special import digamma, polygamma

from mixlaws.arrays import FloatArray, IntArray
from mixlaws.swarm import Swarm, mixture_numbers

_LEAST = 1e-5  # of the median variance: two equal values have no logarithm of a variance
_FREEDOM = (1e-2, 1e6)  # where d_0 is sought


@dataclass(frozen=True, eq=False)
class Gathered:
    """The m rows that a process is fitted to.

    Args:
        weights: (m, d) mixtures.
        values: (m, t) means of their runs.
        count: (m,) runs of each.
        ratio: (m, t) r_g, variance of the noise of one run, in units of the pooled one.
        scatter: (m, t) sums of squares of the runs around their means.
        row: (n,) row that each run is part of.
    """

    weights: FloatArray
    values: FloatArray
    count: FloatArray
    ratio: FloatArray
    scatter: FloatArray
    row: IntArray


def ungathered(weights: FloatArray, values: FloatArray, /) -> Gathered:
    """Every run, of (n, d) weights with (n, t) values, as a row of its own, all equally noisy."""
    ones, zeros = np.ones_like(values), np.zeros_like(values)
    return Gathered(weights, values, np.ones(len(values)), ones, zeros, np.arange(len(values)))


def gathered(swarm: Swarm, /) -> Gathered:
    """Every distinct mixture as a row."""
    row = mixture_numbers(swarm.weights)
    _, first, counts = np.unique(row, return_index=True, return_counts=True)
    count = counts.astype(np.float64)
    values, scatter = np.zeros((2, len(count), swarm.values.shape[1]))
    np.add.at(values, row, swarm.values / count[row, None])
    np.add.at(scatter, row, (swarm.values - values[row]) ** 2)
    unit = np.where(np.all(swarm.values > 0, axis=0), values, 1.0)
    return Gathered(swarm.weights[first], values, count, _ratios(scatter / unit**2, count - 1), scatter, row)


def _ratios(squares: FloatArray, freedom: FloatArray) -> FloatArray:
    """(m, t) r_g for (m, t) sums of squares with (m,) degrees of freedom."""
    ratios, repeated = np.ones_like(squares), freedom > 0
    for t in range(squares.shape[1]):
        own = squares[repeated, t]
        if (own > 0).sum() > 1:
            pooled = own.sum() / freedom[repeated].sum()
            ratios[repeated, t] = moderated(own / freedom[repeated], freedom[repeated]) / pooled
    return ratios


def moderated(variances: FloatArray, freedom: FloatArray, /) -> FloatArray:
    """(k,) variances, each drawn towards what all of them say.

    Args:
        variances: (k,) sample variances, at least two of them positive.
        freedom: (k,) their degrees of freedom.
    """
    least = _LEAST * np.median(variances[variances > 0])
    half = freedom / 2
    logarithms = np.log(np.maximum(variances, least)) - digamma(half) + np.log(half)
    beyond_luck = logarithms.var(ddof=1) - polygamma(1, half).mean()
    low, high = (float(polygamma(1, bound / 2)) for bound in _FREEDOM[::-1])
    if beyond_luck <= low:
        return np.full_like(variances, (freedom * variances).sum() / freedom.sum())
    prior = _FREEDOM[0]
    if beyond_luck < high:
        prior = brentq(lambda free: float(polygamma(1, free / 2)) - beyond_luck, *_FREEDOM)
    typical = np.exp(logarithms.mean() + digamma(prior / 2) - np.log(prior / 2))
    return np.asarray((prior * typical + freedom * variances) / (prior + freedom))
