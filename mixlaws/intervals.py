"""Intervals of a prediction: how many of its deviations hold a given share of runs.

    half width = deviation z(.8) t_f(level) / t_f(.8)

with z and t_f the two-sided quantiles of the normal distribution and of Student's t, f degrees of freedom.
A deviation is thus always told so that 1.28 of them are half of an 80 % interval; f says how much wider than
normal the intervals of higher levels are. Without f they are normal.
"""

import math

import numpy as np
from scipy.stats import norm
from scipy.stats import t as student

from mixlaws.arrays import FloatArray
from mixlaws.estimator import HeavyTailedPredictor, Predictor

CALIBRATED_LEVEL = 0.8
TOLD_LEVEL = 0.95  # of the intervals that people are shown


def deviations_either_side(level: float, *, freedom: float = math.inf) -> float:
    """Half width of an interval that holds a share `level` of runs, in deviations."""
    if math.isinf(freedom):
        return float(norm.ppf(0.5 + level / 2))
    return float(student.ppf(0.5 + level / 2, freedom)) * _narrowed(freedom)


def half_widths(predictor: Predictor, deviation: FloatArray, /, *, level: float) -> FloatArray:
    """Half widths of intervals that hold a share `level` of runs, for deviations that a predictor told."""
    freedom = predictor.freedom if isinstance(predictor, HeavyTailedPredictor) else math.inf
    return np.asarray(deviations_either_side(level, freedom=freedom) * deviation)


def tail_factors(freedom: float, shape: tuple[int, ...], rng: np.random.Generator) -> FloatArray:
    """Factors that turn normal draws into draws of Student's t whose 80 % intervals are as wide."""
    if math.isinf(freedom):
        return np.ones(shape)
    spread = np.sqrt(freedom / rng.chisquare(freedom, size=shape))
    return np.asarray(_narrowed(freedom) * spread)


def _narrowed(freedom: float) -> float:
    """Scale of Student's t with the 80 % interval of the standard normal distribution."""
    tail = 0.5 + CALIBRATED_LEVEL / 2
    return float(norm.ppf(tail) / student.ppf(tail, freedom))
