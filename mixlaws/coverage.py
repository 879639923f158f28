"""Calibration: how many held-out runs lie in intervals that are to hold a given share of them.

    coverage(p) = mean over runs and targets of [|measured - predicted| <= h(p) deviation]

with h(p) the half width in deviations of an interval of level p (`intervals`). Where coverage is below p, a
fit is surer than it may be. Targets of one run err together, so that chance moves a coverage by

    sqrt(p (1 - p) / n)

at most, n the runs.
"""

import math
from typing import NamedTuple

import numpy as np
from scipy.stats import norm

from mixlaws.arrays import FloatArray
from mixlaws.intervals import deviations_either_side

_LEVELS = np.append(np.arange(0.05, 1.0, 0.05), 0.99)
_TOLD = 0.95  # of the intervals that chance is told in


class Coverage(NamedTuple):
    """Coverage of intervals of rising levels.

    levels: (k,) shares of runs that intervals are to hold.
    shares: (k,) shares that they held.
    chance: (2, k) where the shares of right intervals lie, 95 times of 100.
    """

    levels: FloatArray
    shares: FloatArray
    chance: FloatArray


def coverage(
    measured: FloatArray, predicted: FloatArray, deviation: FloatArray, *, freedom: float = math.inf
) -> Coverage:
    """Coverage of held-out values.

    Args:
        measured: (n, t) values.
        predicted: (n, t) predictions by fits that did not see the run.
        deviation: (n, t) standard deviations that these fits told.
        freedom: degrees of freedom of the tails of their errors.
    """
    half = np.array([deviations_either_side(float(level), freedom=freedom) for level in _LEVELS])
    ratio = np.abs(measured - predicted) / np.maximum(deviation, np.finfo(np.float64).tiny)
    shares = (ratio[None, :, :] <= half[:, None, None]).mean(axis=(1, 2))
    by_chance = norm.ppf(0.5 + _TOLD / 2) * np.sqrt(_LEVELS * (1 - _LEVELS) / len(measured))
    chance = np.clip(np.stack([_LEVELS - by_chance, _LEVELS + by_chance]), 0.0, 1.0)
    return Coverage(_LEVELS, shares, chance)
