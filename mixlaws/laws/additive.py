"""Additive exponential law, form M1 of Data Mixing Laws.

    L_t(w) = c_t + sum_j exp(u_tj + s_tj w_j)

Source: Ye et al. 2024, arXiv:2403.16952, the first of the candidate forms (wording unverified). Every
domain has a response of its own, so that the spike at a share of zero of the one domain that serves a
target costs the others nothing. With s_tj < 0 for all j the law is convex.

Fit: for each rate of a grid, one for all domains, non-negative least squares gives floor and amplitudes;
then as every law. The ridge pulls s_t to zero, that is the law to a constant.
"""

from dataclasses import dataclass

import numpy as np
from scipy.optimize import nnls

from mixlaws.arrays import FloatArray
from mixlaws.laws.fitting import Form, Law, spreads
from mixlaws.least_squares import Model

_RATES = (-1.0, -3.0, -10.0, -30.0)  # per unit of weight: gentle slopes to spikes at zero
_EXPONENT_LIMIT = 50.0


class AdditiveForm:
    """Parameters (c, u_1 ... u_d, s_1 ... s_d)."""

    name = "additive"

    def size(self, d: int) -> int:
        """2 d + 1."""
        return 2 * d + 1

    def model(self, weights: FloatArray) -> Model:
        """Values c + sum_j e_j with e_j = exp(u_j + s_j w_j); slopes 1, e_j, w_j e_j."""
        d = weights.shape[1]

        def model(theta: FloatArray) -> tuple[FloatArray, FloatArray]:
            terms = _terms(theta, weights)
            slopes = np.empty((*terms.shape[:2], 2 * d + 1))
            slopes[:, :, 0] = 1.0
            slopes[:, :, 1 : d + 1] = terms
            np.multiply(terms, weights, out=slopes[:, :, d + 1 :])
            return theta[:, :1] + terms.sum(axis=2), slopes

        return model

    def starts(self, weights: FloatArray, values: FloatArray) -> FloatArray:
        """For each rate of a grid the best non-negative floor and amplitudes."""
        d, least = weights.shape[1], 1e-3 * spreads(values)
        starts = np.empty((len(_RATES), values.shape[1], 2 * d + 1))
        for s, rate in enumerate(_RATES):
            columns = np.column_stack([np.ones(len(weights)), np.exp(rate * weights)])
            for t in range(values.shape[1]):
                amounts, _ = nnls(columns, np.maximum(values[:, t], 0.0))
                starts[s, t, 0] = amounts[0]
                starts[s, t, 1 : d + 1] = np.log(np.maximum(amounts[1:], least[t]))
            starts[s, :, d + 1 :] = rate
        return starts

    def penalty(self, d: int) -> FloatArray:
        """Size of s; a breath on u, whose term may be of no use to the data."""
        return np.diag(np.concatenate([[0.0], np.full(d, 1e-3), np.ones(d)]))

    def lower(self, d: int) -> FloatArray:
        """A loss is never negative, so neither is its floor."""
        return np.concatenate([[0.0], np.full(2 * d, -np.inf)])

    def jacobian(self, parameters: FloatArray, weights: FloatArray) -> FloatArray:
        """s_tj exp(u_tj + s_tj w_j)."""
        rates = parameters[:, weights.shape[1] + 1 :]
        return np.asarray((_terms(parameters, weights) * rates[:, None, :]).transpose(1, 0, 2))


@dataclass(frozen=True)
class AdditiveLaw(Law):
    """The law M1, with the hyperparameters that all laws have."""

    @property
    def form(self) -> Form:
        """One shape, without hyperparameters of its own."""
        return AdditiveForm()


def _terms(theta: FloatArray, weights: FloatArray) -> FloatArray:
    """(b, n, d) exp(u_j + s_j w_j)."""
    d = weights.shape[1]
    exponents = theta[:, None, 1 : d + 1] + theta[:, None, d + 1 :] * weights
    return np.asarray(np.exp(np.minimum(exponents, _EXPONENT_LIMIT)))
