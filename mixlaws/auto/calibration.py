"""How wide the intervals of a stack are, learnt from the errors of runs that it did not see.

A deviation is such that 1.28 of them either side hold 80 % of held-out runs. Errors have heavier tails than
a normal distribution, since some mixtures are far harder than others: they follow Student's t, whose degrees
of freedom are those of greatest posterior density given the standardised held-out errors. The prior is
Gamma(2, 0.1) (Juárez and Steel 2010, unverified). Targets of one run err together: a run counts once.
"""

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
from scipy.stats import gamma
from scipy.stats import t as student

from mixlaws.arrays import FloatArray
from mixlaws.auto.held_out import HeldOut
from mixlaws.intervals import CALIBRATED_LEVEL, deviations_either_side

_UNFORESEEN = 0.25  # share of the held-out squared error that no deviation is expected to explain
_FREEDOMS = (2.5, 3.0, 3.5, 4.0, 5.0, 6.0, 8.0, 10.0, 15.0, 20.0, 30.0, 60.0, 120.0)
_PRIOR = gamma(2, scale=10)


class Calibration(NamedTuple):
    """What held-out errors say of deviations.

    base: (t,) variance of errors that no member foresees.
    widening: (t,) factor that makes 80 % intervals hold 80 % of held-out runs.
    freedom: degrees of freedom of the errors' tails.
    """

    base: FloatArray
    widening: FloatArray
    freedom: float


def calibrated(shares: FloatArray, tried: Sequence[HeldOut], values: FloatArray) -> Calibration:
    """Calibrate on held-out runs.

    Args:
        shares: (n, m, t) shares that each run is predicted with.
        tried: m members.
        values: (n, t) measured values.
    """
    means = np.array([found.predicted for found in tried])
    own = np.array([found.deviation for found in tried])
    error = np.einsum("nmt,mnt->nt", shares, means) - values
    width = deviations_either_side(CALIBRATED_LEVEL)
    base = _UNFORESEEN * (np.quantile(np.abs(error), CALIBRATED_LEVEL, axis=0) / width) ** 2 + 1e-18
    ratio = np.abs(error) / spread_of(shares, means, own, base)
    widening = np.quantile(ratio, CALIBRATED_LEVEL, axis=0) / width
    return Calibration(base, widening, freedom_of(ratio / np.where(widening > 0, widening, 1.0)))


def freedom_of(ratios: FloatArray) -> float:
    """Degrees of freedom of (n, t) errors in deviations that make 80 % intervals right."""
    scales = [deviations_either_side(CALIBRATED_LEVEL) / student.ppf(0.9, f) for f in _FREEDOMS]
    density = [
        student.logpdf(ratios, f, scale=scale).mean(axis=1).sum() + _PRIOR.logpdf(f)
        for f, scale in zip(_FREEDOMS, scales, strict=True)
    ]
    return _FREEDOMS[int(np.argmax(density))]


def spread_of(shares: FloatArray, means: FloatArray, own: FloatArray, base: FloatArray) -> FloatArray:
    """(n, t) deviations of means of (m, n, t) predictions with deviations `own`, by (n, m, t) shares."""
    centre = np.einsum("nmt,mnt->nt", shares, means)
    return np.asarray(np.sqrt(base + np.einsum("nmt,mnt->nt", shares, own**2 + (means - centre) ** 2)))
