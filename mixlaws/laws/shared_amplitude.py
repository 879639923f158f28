"""Additive exponential law with one amplitude for all domains, form M2 of Data Mixing Laws.

    L_t(w) = c_t + k_t sum_j exp(s_tj w_j)

Source: Ye et al. 2024, arXiv:2403.16952, the second of the candidate forms (wording unverified). Between
M1, where every domain has an amplitude of its own, and M4, one exponential: a spike at a share of zero is
followed with d - 1 parameters fewer than by M1. k_t > 0, so that the law is convex.

Fit: for rates of a grid, common to all domains or those of one or two domains alone, non-negative least
squares gives floor and amplitude; then as every law. The ridge pulls s_t to zero, that is the law to a
constant.
"""

from dataclasses import dataclass

import numpy as np
from scipy.optimize import nnls

from mixlaws.arrays import FloatArray
from mixlaws.laws.fitting import Form, Law, spreads
from mixlaws.least_squares import Model

_RATES = (-1.0, -3.0, -10.0, -30.0)  # per unit of weight: gentle slopes to spikes at zero
_PAIRS = ((-10.0, -10.0), (-10.0, -60.0), (-30.0, -60.0))  # a response, and a spike at zero of another domain
_EXPONENT_LIMIT = 50.0


class SharedAmplitudeForm:
    """Parameters (c, log k, s_1 ... s_d)."""

    name = "shared_amplitude"

    def size(self, d: int) -> int:
        """Floor, amplitude and d rates."""
        return d + 2

    def model(self, weights: FloatArray) -> Model:
        """Values c + sum_j e_j with e_j = k exp(s_j w_j); slopes 1, sum_j e_j, w_j e_j."""
        d = weights.shape[1]

        def model(theta: FloatArray) -> tuple[FloatArray, FloatArray]:
            terms = _terms(theta, weights)
            slopes = np.empty((*terms.shape[:2], d + 2))
            slopes[:, :, 0] = 1.0
            slopes[:, :, 1] = terms.sum(axis=2)
            np.multiply(terms, weights, out=slopes[:, :, 2:])
            return theta[:, :1] + slopes[:, :, 1], slopes

        return model

    def starts(self, weights: FloatArray, values: FloatArray) -> FloatArray:
        """Rates of all domains; of the one domain that serves a target best; and of the best two."""
        d, least = weights.shape[1], 1e-3 * spreads(values)
        one = np.eye(d)
        choices = [[np.full(d, rate)] for rate in _RATES]
        choices += [list(rate * one) for rate in _RATES]
        pairs = [(i, j) for i in range(d) for j in range(d) if i != j]
        choices += [[first * one[i] + second * one[j] for i, j in pairs] for first, second in _PAIRS if pairs]
        starts = np.empty((len(choices), values.shape[1], d + 2))
        for s, candidates in enumerate(choices):
            for t in range(values.shape[1]):
                found = [_start(weights, values[:, t], rates, least[t]) for rates in candidates]
                starts[s, t] = min(found, key=lambda start: start[1])[0]
        return starts

    def penalty(self, d: int) -> FloatArray:
        """Size of s; a breath on log k, which no data determine where s is zero."""
        return np.diag(np.concatenate([[0.0, 1e-3], np.ones(d)]))

    def lower(self, d: int) -> FloatArray:
        """A loss is never negative, so neither is its floor."""
        return np.concatenate([[0.0], np.full(d + 1, -np.inf)])

    def jacobian(self, parameters: FloatArray, weights: FloatArray) -> FloatArray:
        """k_t s_tj exp(s_tj w_j)."""
        return np.asarray((_terms(parameters, weights) * parameters[:, None, 2:]).transpose(1, 0, 2))


@dataclass(frozen=True)
class SharedAmplitudeLaw(Law):
    """The law M2, with the hyperparameters that all laws have."""

    @property
    def form(self) -> Form:
        """One shape, without hyperparameters of its own."""
        return SharedAmplitudeForm()


def _terms(theta: FloatArray, weights: FloatArray) -> FloatArray:
    """(b, n, d) k exp(s_j w_j)."""
    exponents = theta[:, None, 1:2] + theta[:, None, 2:] * weights
    return np.asarray(np.exp(np.minimum(exponents, _EXPONENT_LIMIT)))


def _start(
    weights: FloatArray, values: FloatArray, rates: FloatArray, least: float
) -> tuple[FloatArray, float]:
    """(p,) start with rates (d,), and the norm of its residual."""
    columns = np.column_stack([np.ones(len(weights)), np.exp(rates * weights).sum(axis=1)])
    (floor, amplitude), residual = nnls(columns, np.maximum(values, 0.0))
    return np.concatenate([[floor, np.log(max(amplitude, least))], rates]), float(residual)
