"""Power law with a transfer floor: what a domain lacks, the others lend it.

    L_t(w) = c_t + sum_j (a_tj + w_j)^(-g_tj)

Source: AutoScale (Kang et al. 2024, arXiv:2407.20177), whose model is sum_j (N0_j + N_j)^(-g_j) + l in
tokens; here in shares, as in Olmix (Chen et al. 2026, arXiv:2602.12237). a_tj is the share of domain j that
the other domains are worth to it, so that the law is finite and smooth at a share of zero, where a plain
power law is not and an exponential one is too small. Convex in w.

Fit: for each pair (a, g) of a grid, one for all domains, non-negative least squares gives the amount of
each response; the law has no amplitude of its own, so a and g are then moved to where value and relative
slope are the same at the mean mixture. The ridge pulls g_t to zero, that is the law to a constant.
"""

from dataclasses import dataclass

import numpy as np
from scipy.optimize import nnls
from scipy.special import lambertw

from mixlaws.arrays import FloatArray
from mixlaws.laws.fitting import Form, Law, spreads
from mixlaws.least_squares import Model

_FLOORS = (0.01, 0.05, 0.3)  # shares that other domains are worth
_POWERS = (0.3, 1.0)
_LEAST = 1e-5  # of a: nothing smaller can be told from a swarm
_LOGARITHMS = 50.0


class TransferForm:
    """Parameters (c, log a_1 ... log a_d, g_1 ... g_d)."""

    name = "transfer"

    def size(self, d: int) -> int:
        """2 d + 1."""
        return 2 * d + 1

    def model(self, weights: FloatArray) -> Model:
        """Values c + sum_j y_j with y_j = (a_j + w_j)^(-g_j), and their slopes."""
        d = weights.shape[1]

        def model(theta: FloatArray) -> tuple[FloatArray, FloatArray]:
            a, reach, powers = _parts(theta, weights)
            terms = _terms(reach, powers)
            slopes = np.empty((*terms.shape[:2], 2 * d + 1))
            slopes[:, :, 0] = 1.0
            slopes[:, :, 1 : d + 1] = -powers * a / reach * terms
            slopes[:, :, d + 1 :] = -np.log(reach) * terms
            return theta[:, :1] + terms.sum(axis=2), slopes

        return model

    def starts(self, weights: FloatArray, values: FloatArray) -> FloatArray:
        """For each response of a grid the best non-negative amounts, told as a and g of their own."""
        d, least = weights.shape[1], 1e-2 * spreads(values)
        centre = weights.mean(axis=0)
        grid = [(floor, power) for floor in _FLOORS for power in _POWERS]
        starts = np.empty((len(grid), values.shape[1], 2 * d + 1))
        for s, (floor, power) in enumerate(grid):
            columns = np.column_stack([np.ones(len(weights)), (floor + weights) ** -power])
            for t in range(values.shape[1]):
                amounts, _ = nnls(columns, np.maximum(values[:, t], 0.0))
                level = np.maximum(amounts[1:], least[t]) * (floor + centre) ** -power
                reach = _matching(level, power / (floor + centre))
                a = np.maximum(reach - centre, _LEAST)
                starts[s, t, 0] = amounts[0]
                starts[s, t, 1 : d + 1] = np.log(a)
                starts[s, t, d + 1 :] = power / (floor + centre) * (a + centre)
        return starts

    def penalty(self, d: int) -> FloatArray:
        """Size of g; a breath on log a, which data may leave open."""
        return np.diag(np.concatenate([[0.0], np.full(d, 1e-3), np.ones(d)]))

    def lower(self, d: int) -> FloatArray:
        """No negative floor, no response that rises, no a below what can be told from zero."""
        return np.concatenate([[0.0], np.full(d, np.log(_LEAST)), np.zeros(d)])

    def jacobian(self, parameters: FloatArray, weights: FloatArray) -> FloatArray:
        """-g_tj (a_tj + w_j)^(-g_tj - 1)."""
        _, reach, powers = _parts(parameters, weights)
        return np.asarray((-powers / reach * _terms(reach, powers)).transpose(1, 0, 2))


@dataclass(frozen=True)
class TransferLaw(Law):
    """The law with a transfer floor, with the hyperparameters that all laws have."""

    @property
    def form(self) -> Form:
        """One shape, without hyperparameters of its own."""
        return TransferForm()


def _parts(theta: FloatArray, weights: FloatArray) -> tuple[FloatArray, FloatArray, FloatArray]:
    """(b, 1, d) a, (b, n, d) a + w and (b, 1, d) g."""
    d = weights.shape[1]
    a = np.exp(np.minimum(theta[:, None, 1 : d + 1], _LOGARITHMS))
    return a, a + weights, theta[:, None, d + 1 :]


def _terms(reach: FloatArray, powers: FloatArray) -> FloatArray:
    return np.asarray(np.exp(np.minimum(-powers * np.log(reach), _LOGARITHMS)))


def _matching(level: FloatArray, relative_slope: FloatArray) -> FloatArray:
    """(d,) x with x^(-g) = level and g / x = relative slope, where there is one; else the nearest."""
    # x^(-r x) = l means x log x = -log l / r, whose solution is exp(W(-log l / r)); none below -1/e.
    logarithm = np.maximum(-np.log(level) / relative_slope, -np.exp(-1) * (1 - 1e-9))
    return np.asarray(np.exp(lambertw(logarithm).real))
