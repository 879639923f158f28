"""Exponential data-mixing law, form M4 of Data Mixing Laws.

    L_t(w) = c_t + exp(a_t · w)

Source: Ye et al. 2024, arXiv:2403.16952, Eq. 7. Their factor k_t is folded into a_t, since weights sum
to 1 and log k_t can be added to every entry of a_t: this is the gauge in which parameters are unique.

Fit: for each c of a grid below the smallest value, a weighted linear fit of log(y - c) gives a start
(variable projection); a robust Levenberg-Marquardt over (c, a) refines all starts, targets, ridges and
folds in one batch. The ridge pulls a_t towards its own mean, that is the law towards a constant; without
it the law over-fits a sweep of a few dozen runs beyond use.
"""

from dataclasses import dataclass

import numpy as np

from mixlaws.arrays import FloatArray
from mixlaws.laws.fitting import Form, Law, floors, spreads
from mixlaws.laws.spikes import spike_starts
from mixlaws.least_squares import Model

_STARTS = 12
_SPIKES = 2
_EXPONENT_LIMIT = 50.0  # e^50 nats: a trial step may overflow, a fit may not


class ExponentialForm:
    """Parameters (c, a_1 ... a_d). c is no irreducible loss: it often lies just below the data."""

    name = "exponential"

    def size(self, d: int) -> int:
        """The floor and d tilts."""
        return d + 1

    def model(self, weights: FloatArray) -> Model:
        """Values c + exp(a · w); slopes 1, w exp(a · w)."""

        def model(theta: FloatArray) -> tuple[FloatArray, FloatArray]:
            growth = np.exp(np.minimum(theta[:, 1:] @ weights.T, _EXPONENT_LIMIT))
            slopes = np.empty((*growth.shape, theta.shape[1]))
            slopes[:, :, 0] = 1.0
            np.multiply(growth[:, :, None], weights, out=slopes[:, :, 1:])
            return theta[:, :1] + growth, slopes

        return model

    def starts(self, weights: FloatArray, values: FloatArray) -> FloatArray:
        """For each floor of a grid the weighted linear fit of log(y - c); then spikes of single domains."""
        d = weights.shape[1]
        grid = floors(values, count=_STARTS)
        starts = np.empty((_STARTS, values.shape[1], d + 1))
        pull = 1e-3 * (np.eye(d) - 1.0 / d)
        for s, floor in enumerate(grid):
            excess = np.maximum(values - floor, 1e-3 * spreads(values))
            # A small error e of log(y - c) is an error (y - c) e of y: hence the weights.
            emphasis = excess / excess.max(axis=0)
            starts[s, :, 0] = floor
            for t in range(values.shape[1]):
                rows = np.concatenate([weights * emphasis[:, t, None], pull])
                goal = np.concatenate([np.log(excess[:, t]) * emphasis[:, t], np.zeros(d)])
                starts[s, t, 1:] = np.linalg.lstsq(rows, goal, rcond=None)[0]
        return np.concatenate([starts, spike_starts(weights, values, count=_SPIKES)])

    def penalty(self, d: int) -> FloatArray:
        """Distance of a from its own mean."""
        penalty = np.zeros((d + 1, d + 1))
        penalty[1:, 1:] = np.eye(d) - 1.0 / d
        return penalty

    def lower(self, d: int) -> FloatArray:
        """A loss is never negative, so neither is its floor."""
        return np.concatenate([[0.0], np.full(d, -np.inf)])

    def jacobian(self, parameters: FloatArray, weights: FloatArray) -> FloatArray:
        """exp(a_t · w) a_t."""
        tilt = parameters[:, 1:]
        growth = np.exp(np.minimum(weights @ tilt.T, _EXPONENT_LIMIT))
        return np.asarray(growth[:, :, None] * tilt)


@dataclass(frozen=True)
class ExponentialLaw(Law):
    """The law M4, with the hyperparameters that all laws have."""

    @property
    def form(self) -> Form:
        """One shape, without hyperparameters of its own."""
        return ExponentialForm()

    @property
    def finalists(self) -> int:
        """On published swarms the one start that is ahead finds what all find; the second is for care."""
        return 2
