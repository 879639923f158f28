"""A fitted Gaussian process: predictions, slopes, deviations and draws.

    y = c + exp(m + s f(z)) or m + s f(z),    z = (w^(1/q) - centre) / spread,

with f the posterior given the values of every row and its noise; `gaussian_process` says of what kernel. A
row is a run, or all runs of one mixture, whose noise is then less by their number.
"""

from dataclasses import dataclass, fields
from functools import cached_property
from typing import Self

import numpy as np
import scipy.linalg

from mixlaws.arrays import FloatArray, IntArray, JsonObject, frozen
from mixlaws.errors import InvalidInputError, StateError
from mixlaws.regressors.kernel import Smoothness, gram, slopes

SCHEMA = 3
_SMALLEST_WEIGHT = 1e-9  # the slope of a square root is infinite at 0
_JITTER = 1e-8


@dataclass(frozen=True, eq=False)
class GaussianProcessPredictor:
    """A fitted process.

    Args:
        weights: (m, d) mixtures of the rows.
        values: (m, t) standardised values, or logarithms of what values are above the floor.
        logarithmic: (t,) 1 where values are logarithms.
        floor: (t,) c.
        mean: (t,) and scale: (t,) what standardisation took away.
        centre: (d,) and spread: (d,) of the roots of weights.
        length: (t, d) l, linear: (t,) b, noise: (t,) variance of the noise, amplitude: (t,) s^2; noise is
            in units of s^2.
        relative: (m, t) variance of the noise of a row, in units of `noise`.
        row: (n,) row of each fitted run.
        root: q.
        smoothness: of the Matérn function.
    """

    weights: FloatArray
    values: FloatArray
    logarithmic: FloatArray
    floor: FloatArray
    mean: FloatArray
    scale: FloatArray
    centre: FloatArray
    spread: FloatArray
    length: FloatArray
    linear: FloatArray
    noise: FloatArray
    amplitude: FloatArray
    relative: FloatArray
    row: IntArray
    root: int
    smoothness: Smoothness

    @cached_property
    def _factors(self) -> tuple[FloatArray, FloatArray]:
        """Cholesky factors (t, m, m) of the kernel matrices and their solutions (t, m)."""
        m, z = len(self.weights), self._coordinates(self.weights)
        factors, solutions = np.empty((len(self.mean), m, m)), np.empty((len(self.mean), m))
        for t in range(len(self.mean)):
            covariance = self._kernel(z, z, t) + np.diag(self.noise[t] * self.relative[:, t] + _JITTER)
            factors[t] = scipy.linalg.cholesky(covariance, lower=True)
            solutions[t] = scipy.linalg.cho_solve((factors[t], True), self.values[:, t])
        return factors, solutions

    def _coordinates(self, weights: FloatArray) -> FloatArray:
        return np.asarray((roots(weights, self.root) - self.centre) / self.spread)

    def _kernel(self, left: FloatArray, right: FloatArray, t: int) -> FloatArray:
        return gram(left, right, self.length[t], float(self.linear[t]), self.smoothness)

    def _untransformed(self, values: FloatArray) -> FloatArray:
        """(..., t) standardised values back in the unit of the targets."""
        raw = self.mean + self.scale * values
        above = np.exp(np.where(self.logarithmic > 0, raw, 0.0))
        return np.where(self.logarithmic > 0, self.floor + above, raw)

    def _standardised(self, weights: FloatArray) -> FloatArray:
        """(n, t) posterior means of standardised values."""
        _, solutions = self._factors
        z, fitted = self._coordinates(weights), self._coordinates(self.weights)
        columns = [self._kernel(z, fitted, t) @ solutions[t] for t in range(len(self.mean))]
        return np.stack(columns, axis=1)

    def stretch(self, weights: FloatArray) -> FloatArray:
        """(n, t) what one unit of a standardised value is worth at these mixtures."""
        worth = self._untransformed(self._standardised(weights))
        return np.asarray(self.scale * np.where(self.logarithmic > 0, worth - self.floor, 1.0))

    def predict(self, weights: FloatArray, /) -> FloatArray:
        """(n, t) posterior means (medians, where values are logarithms), in the unit of the targets."""
        return self._untransformed(self._standardised(weights))

    def jacobian(self, weights: FloatArray, /) -> FloatArray:
        """(n, t, d) derivatives of the predictions."""
        _, solutions = self._factors
        positive = np.maximum(weights, _SMALLEST_WEIGHT)
        z, fitted = self._coordinates(positive), self._coordinates(self.weights)
        by_root = np.stack(
            [
                slopes(z, fitted, solutions[t], self.length[t], float(self.linear[t]), self.smoothness)
                for t in range(len(self.mean))
            ],
            axis=1,
        )
        root_slope = roots(positive, self.root) / (self.root * positive * self.spread)
        return np.asarray(self.stretch(weights)[:, :, None] * by_root * root_slope[:, None])

    def covariance(self, weights: FloatArray, t: int, /) -> FloatArray:
        """(m, m) posterior covariance of noise-free standardised values of target t."""
        factors, _ = self._factors
        z, fitted = self._coordinates(weights), self._coordinates(self.weights)
        reach = scipy.linalg.solve_triangular(factors[t], self._kernel(fitted, z, t), lower=True)
        return np.asarray(self.amplitude[t] * (self._kernel(z, z, t) - reach.T @ reach))

    def deviation(self, weights: FloatArray, /) -> FloatArray:
        """(n, t) posterior standard deviations of the noise-free targets, in their unit."""
        factors, _ = self._factors
        z, fitted = self._coordinates(weights), self._coordinates(self.weights)
        columns = []
        for t in range(len(self.mean)):
            reach = scipy.linalg.solve_triangular(factors[t], self._kernel(fitted, z, t), lower=True)
            prior = 1.0 + self.linear[t] * (z**2).sum(axis=1)
            columns.append(np.sqrt(self.amplitude[t] * np.maximum(prior - (reach**2).sum(axis=0), 0.0)))
        return np.asarray(self.stretch(weights) * np.stack(columns, axis=1))

    def sample(self, weights: FloatArray, /, *, count: int, rng: np.random.Generator) -> FloatArray:
        """(count, n, t) joint draws of the noise-free targets; targets are independent of each other."""
        means = self._standardised(weights)
        draws = np.empty((count, *means.shape))
        for t in range(means.shape[1]):
            # Eigenvalues and not Cholesky: the posterior of near-equal mixtures is singular to rounding.
            spectrum, axes = np.linalg.eigh(self.covariance(weights, t))
            spread = axes * np.sqrt(np.maximum(spectrum, 0.0))
            draws[:, :, t] = means[:, t] + rng.standard_normal((count, len(weights))) @ spread.T
        return self._untransformed(draws)

    def held_out(self, folds: IntArray, /) -> tuple[FloatArray, FloatArray]:
        """(n, t) predictions of the fitted runs without those of their (n,) fold, and their deviations.

        Kernel and standardisation stay as they are, so that it costs little: with G the inverse of the
        kernel matrix, the runs F of a fold are predicted as y_F - (G_FF)^-1 (G y)_F with the covariance
        (G_FF)^-1 (Rasmussen and Williams 2006, Eq. 5.10 to 5.12, for folds of any size).

        Raises:
            InvalidInputError: runs that are one row are in two folds.
        """
        factors, solutions = self._factors
        fold_of_row = np.empty(len(self.weights), dtype=np.int64)
        fold_of_row[self.row] = folds
        if not np.array_equal(fold_of_row[self.row], folds):
            raise InvalidInputError("runs of one mixture are in two folds: repeats share a fold")
        values, variance = np.empty_like(self.values), np.empty_like(self.values)
        for t in range(len(self.mean)):
            inverse = scipy.linalg.cho_solve((factors[t], True), np.eye(len(self.weights)))
            for fold in np.unique(fold_of_row):
                rows = np.flatnonzero(fold_of_row == fold)
                covariance = np.linalg.inv(inverse[np.ix_(rows, rows)])
                values[rows, t] = self.values[rows, t] - covariance @ solutions[t][rows]
                variance[rows, t] = np.diag(covariance) - self.noise[t] * self.relative[rows, t]
        predicted = self._untransformed(values)
        worth = np.where(self.logarithmic > 0, predicted - self.floor, 1.0)
        deviation = self.scale * worth * np.sqrt(self.amplitude * np.maximum(variance, 0.0))
        return predicted[self.row], deviation[self.row]

    def dump(self) -> JsonObject:
        """Runs and parameters as JSON."""
        return {"schema": SCHEMA, "regressor": "gaussian_process"} | {
            field.name: value.tolist() if isinstance(value, np.ndarray) else value
            for field in fields(self)
            for value in [getattr(self, field.name)]
        }

    @classmethod
    def load(cls, raw: JsonObject, /) -> Self:
        """Rebuild a predictor from its dump.

        Raises:
            StateError: it is of another class or schema.
        """
        if raw.get("regressor") != "gaussian_process" or raw.get("schema") != SCHEMA:
            raise StateError(f"not a dump of a Gaussian process, schema {SCHEMA}: {raw.get('regressor')!r}")
        arrays = {name: frozen(value) for name, value in raw.items() if isinstance(value, list)}
        row = np.asarray(arrays.pop("row"), dtype=np.int64)
        return cls(**arrays, row=row, root=raw["root"], smoothness=raw["smoothness"])


def roots(weights: FloatArray, root: int) -> FloatArray:
    """Weights to the power 1/root."""
    positive = np.maximum(weights, 0.0)
    return np.asarray(positive if root == 1 else positive ** (1.0 / root))
