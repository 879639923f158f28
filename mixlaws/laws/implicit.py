"""Implicit aggregation: a target that is a mixture of hidden domains, in unknown shares.

    L_t(w) = c_t + sum_k exp(v_tk · w),    k = 1 ... K hidden components

Source: Ye et al. 2024, arXiv:2403.16952, section on unknown validation shares; there with shares s_k =
softmax(theta)_k and components c + b_k exp(t_k · w), as a network of one hidden layer. On the simplex the
shares are no parameters of their own: weights sum to 1, so that

    s_k b_k exp(t_k · w) = exp((t_k + log(s_k b_k) 1) · w) = exp(v_k · w),

and only v_k can be determined; the floors enter as their weighted sum alone. With K = 1 this is the
exponential law. A sum of exponentials is no exponential, which is why K > 1 predicts a broad target better;
where the parts of a target are measured one by one, it is better still to fit each and to weight them.

Fit: components are picked from spikes exp(-r w_j) by non-negative least squares, for each rate of a grid,
or begin as copies of the one best exponential, moved apart; then as every law. The ridge pulls each v_tk
towards its own mean, that is the law towards a constant.
"""

from dataclasses import dataclass

import numpy as np
from scipy.optimize import nnls

from mixlaws.arrays import FloatArray
from mixlaws.errors import InvalidInputError
from mixlaws.laws.exponential import ExponentialForm
from mixlaws.laws.fitting import Form, Law, spreads
from mixlaws.least_squares import Model

_RATES = (-1.0, -3.0, -10.0, -30.0)
_COPIES = (2, 5, 8, 11)  # of the floors that the exponential law starts from
_APART = 0.5  # standard deviation of what moves copies apart: enough to break their symmetry
_EXPONENT_LIMIT = 50.0


@dataclass(frozen=True)
class ImplicitForm:
    """Parameters (c, v_11 ... v_1d, ... v_Kd); K is read off their number."""

    components: int
    name = "implicit"

    def size(self, d: int) -> int:
        """The floor and K d exponents."""
        return 1 + self.components * d

    def model(self, weights: FloatArray) -> Model:
        """Values c + sum_k e_k with e_k = exp(v_k · w); slopes 1, w e_k."""

        def model(theta: FloatArray) -> tuple[FloatArray, FloatArray]:
            growth = _growth(theta, weights)
            slopes = np.empty((len(theta), len(weights), theta.shape[1]))
            slopes[:, :, 0] = 1.0
            slopes[:, :, 1:] = (growth[:, :, :, None] * weights[:, None, :]).reshape(*slopes.shape[:2], -1)
            return theta[:, :1] + growth.sum(axis=2), slopes

        return model

    def starts(self, weights: FloatArray, values: FloatArray) -> FloatArray:
        """Spikes of every rate, and copies of exponentials moved apart."""
        d, t = weights.shape[1], values.shape[1]
        spikes = np.stack([self._spikes(weights, values, rate) for rate in _RATES])
        single = ExponentialForm().starts(weights, values)[list(_COPIES)]
        # The same moves for all: a fit depends on its data alone.
        moves = _APART * np.random.default_rng(0).standard_normal((len(_COPIES), 1, self.components, d))
        copies = single[:, :, None, 1:] - np.log(self.components) + moves
        copied = np.concatenate([single[:, :, :1], copies.reshape(len(_COPIES), t, -1)], axis=2)
        return np.concatenate([spikes, copied])

    def _spikes(self, weights: FloatArray, values: FloatArray, rate: float) -> FloatArray:
        """(t, p) starts from the K spikes that matter most to each target."""
        d, least = weights.shape[1], 1e-3 * spreads(values)
        atoms = np.exp(rate * weights)
        columns = np.column_stack([np.ones(len(weights)), atoms])
        starts = np.empty((values.shape[1], self.size(d)))
        for t in range(values.shape[1]):
            amounts, _ = nnls(columns, np.maximum(values[:, t], 0.0))
            order = np.argsort(-amounts[1:] * atoms.std(axis=0), kind="stable")
            chosen = order[np.arange(self.components) % d]
            levels = np.log(np.maximum(amounts[1 + chosen], least[t]))
            starts[t, 0] = amounts[0]
            starts[t, 1:] = (levels[:, None] + rate * np.eye(d)[chosen]).reshape(-1)
        return starts

    def penalty(self, d: int) -> FloatArray:
        """Distance of every v_k from its mean; a breath on the mean of a component of no use to the data."""
        centred = np.eye(d) - (1.0 - 1e-3) / d
        penalty = np.zeros((self.size(d), self.size(d)))
        penalty[1:, 1:] = np.kron(np.eye(self.components), centred)
        return penalty

    def lower(self, d: int) -> FloatArray:
        """A loss is never negative, so neither is its floor."""
        return np.concatenate([[0.0], np.full(self.components * d, -np.inf)])

    def jacobian(self, parameters: FloatArray, weights: FloatArray) -> FloatArray:
        """sum_k exp(v_tk · w) v_tk."""
        exponents = _exponents(parameters, weights.shape[1])
        return np.asarray(np.einsum("tnk,tkd->ntd", _growth(parameters, weights), exponents))


@dataclass(frozen=True)
class ImplicitLaw(Law):
    """The law of K hidden components, with the hyperparameters that all laws have.

    Args:
        components: K; published widths are 1, 3, 5, 10 and 30, and more want more runs.
    """

    components: int = 3

    def __post_init__(self) -> None:
        super().__post_init__()
        if self.components < 1:
            raise InvalidInputError(f"components is {self.components}: use at least 1")

    @property
    def form(self) -> Form:
        """The shape with as many components as asked for."""
        return ImplicitForm(self.components)


def _exponents(theta: FloatArray, d: int) -> FloatArray:
    """(b, K, d) v."""
    return theta[:, 1:].reshape(len(theta), -1, d)


def _growth(theta: FloatArray, weights: FloatArray) -> FloatArray:
    """(b, n, K) exp(v_k · w)."""
    exponents = np.einsum("bkd,nd->bnk", _exponents(theta, weights.shape[1]), weights)
    return np.asarray(np.exp(np.minimum(exponents, _EXPONENT_LIMIT)))
