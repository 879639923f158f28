"""Gaussian process on square-root weights, one per target.

    log y = m + f(z) + noise,    z = (sqrt(w) - centre) / spread,
    k(z, z') = s^2 [ (1 + sqrt(5) r + 5 r^2 / 3) exp(-sqrt(5) r) + b z · z' ],
    r^2 = sum_j (z_j - z'_j)^2 / l_j^2

On square roots a step from 0 to 0.01 counts as much as one from 0.25 to 0.36: domains with small shares
matter, and the map is smooth down to zero where a logarithm is not. Every target has a length for every
domain, since it answers to few of them; the linear part carries trends beyond the data. Values that are
all positive are fitted as logarithms.

Lengths, b and the share of noise maximise the likelihood times a prior (as in Hvarfner et al. 2024,
arXiv:2402.02229: lengths grow with sqrt(d), without which a dozen lengths cannot be told from thirty
runs); s^2 is profiled out. Gradients are analytic. A dump holds runs and parameters, and no pickle.
"""

from dataclasses import dataclass, fields
from functools import cached_property

import numpy as np
import scipy.linalg

from mixlaws.arrays import FloatArray, JsonObject, frozen
from mixlaws.errors import StateError, SwarmTooSmallError
from mixlaws.regressors.kernel import gram, slopes, tuned
from mixlaws.swarm import Swarm

SCHEMA = 1
MINIMUM_RUNS = 4
_TUNING_RUNS = 256  # lengths are known well before; more would cost the cube of their number
_SMALLEST_WEIGHT = 1e-9  # the slope of a square root is infinite at 0
_JITTER = 1e-8


@dataclass(frozen=True, eq=False)
class GaussianProcessPredictor:
    """A fitted process.

    Args:
        weights: (n, d) mixtures of the fitted runs.
        values: (n, t) standardised values, or logarithms of values.
        logarithmic: (t,) 1 where values are logarithms.
        mean: (t,) and scale: (t,) what standardisation took away.
        centre: (d,) and spread: (d,) of the square roots of weights.
        length: (t, d) l, linear: (t,) b, noise: (t,) variance of the noise, amplitude: (t,) s^2; noise is
            in units of s^2.
    """

    weights: FloatArray
    values: FloatArray
    logarithmic: FloatArray
    mean: FloatArray
    scale: FloatArray
    centre: FloatArray
    spread: FloatArray
    length: FloatArray
    linear: FloatArray
    noise: FloatArray
    amplitude: FloatArray

    @cached_property
    def _factors(self) -> tuple[FloatArray, FloatArray]:
        """Cholesky factors (t, n, n) of the kernel matrices and their solutions (t, n)."""
        n, z = len(self.weights), self._coordinates(self.weights)
        factors, solutions = np.empty((len(self.mean), n, n)), np.empty((len(self.mean), n))
        for t in range(len(self.mean)):
            covariance = self._kernel(z, z, t) + (self.noise[t] + _JITTER) * np.eye(n)
            factors[t] = scipy.linalg.cholesky(covariance, lower=True)
            solutions[t] = scipy.linalg.cho_solve((factors[t], True), self.values[:, t])
        return factors, solutions

    def _coordinates(self, weights: FloatArray) -> FloatArray:
        return np.asarray((np.sqrt(np.maximum(weights, 0.0)) - self.centre) / self.spread)

    def _kernel(self, left: FloatArray, right: FloatArray, t: int) -> FloatArray:
        return gram(left, right, self.length[t], float(self.linear[t]))

    def _untransformed(self, values: FloatArray) -> FloatArray:
        """(..., t) standardised values back in the unit of the targets."""
        raw = self.mean + self.scale * values
        return np.where(self.logarithmic > 0, np.exp(np.where(self.logarithmic > 0, raw, 0.0)), raw)

    def _standardised(self, weights: FloatArray) -> FloatArray:
        """(n, t) posterior means of standardised values."""
        _, solutions = self._factors
        z, fitted = self._coordinates(weights), self._coordinates(self.weights)
        columns = [self._kernel(z, fitted, t) @ solutions[t] for t in range(len(self.mean))]
        return np.stack(columns, axis=1)

    def _stretch(self, weights: FloatArray) -> FloatArray:
        """(n, t) what one unit of a standardised value is worth at these mixtures."""
        worth = self._untransformed(self._standardised(weights))
        return np.asarray(self.scale * np.where(self.logarithmic > 0, worth, 1.0))

    def predict(self, weights: FloatArray, /) -> FloatArray:
        """(n, t) posterior means (medians, where values are logarithms), in the unit of the targets."""
        return self._untransformed(self._standardised(weights))

    def jacobian(self, weights: FloatArray, /) -> FloatArray:
        """(n, t, d) derivatives of the predictions."""
        _, solutions = self._factors
        roots = np.sqrt(np.maximum(weights, _SMALLEST_WEIGHT))
        z, fitted = (roots - self.centre) / self.spread, self._coordinates(self.weights)
        by_root = np.stack(
            [
                slopes(z, fitted, solutions[t], self.length[t], float(self.linear[t]))
                for t in range(len(self.mean))
            ],
            axis=1,
        )
        return np.asarray(self._stretch(weights)[:, :, None] * by_root / (2 * roots * self.spread)[:, None])

    def _posterior(self, weights: FloatArray, t: int) -> FloatArray:
        """(m, m) covariance of noise-free standardised values."""
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
        return np.asarray(self._stretch(weights) * np.stack(columns, axis=1))

    def sample(self, weights: FloatArray, /, *, count: int, rng: np.random.Generator) -> FloatArray:
        """(count, n, t) joint draws of the noise-free targets; targets are independent of each other."""
        means = self._standardised(weights)
        draws = np.empty((count, *means.shape))
        for t in range(means.shape[1]):
            # Eigenvalues and not Cholesky: the posterior of near-equal mixtures is singular to rounding.
            spectrum, axes = np.linalg.eigh(self._posterior(weights, t))
            spread = axes * np.sqrt(np.maximum(spectrum, 0.0))
            draws[:, :, t] = means[:, t] + rng.standard_normal((count, len(weights))) @ spread.T
        return self._untransformed(draws)

    def dump(self) -> JsonObject:
        """Runs and parameters as JSON."""
        return {"schema": SCHEMA, "regressor": "gaussian_process"} | {
            field.name: getattr(self, field.name).tolist() for field in fields(self)
        }


@dataclass(frozen=True)
class GaussianProcess:
    """The process, which has nothing to choose: the likelihood and its prior choose."""

    def fit(self, swarm: Swarm, /, *, rng: np.random.Generator) -> GaussianProcessPredictor:
        """Fit every target.

        Raises:
            SwarmTooSmallError: fewer than four runs.
        """
        if len(swarm) < MINIMUM_RUNS:
            raise SwarmTooSmallError(method="a Gaussian process", needed=MINIMUM_RUNS, got=len(swarm))
        logarithmic = np.all(swarm.values > 0, axis=0)
        values = np.where(logarithmic, np.log(np.where(logarithmic, swarm.values, 1.0)), swarm.values)
        mean, scale = values.mean(axis=0), _off_zero(values.std(axis=0), values)
        roots = np.sqrt(swarm.weights)
        centre, spread = roots.mean(axis=0), _off_zero(roots.std(axis=0), roots)
        z, y = (roots - centre) / spread, (values - mean) / scale
        part = np.sort(rng.permutation(len(swarm))[:_TUNING_RUNS])
        kernels = [tuned(z[part], column) for column in y[part].T]
        return GaussianProcessPredictor(
            weights=swarm.weights,
            values=frozen(y),
            logarithmic=frozen(logarithmic.astype(np.float64)),
            mean=frozen(mean),
            scale=frozen(scale),
            centre=frozen(centre),
            spread=frozen(spread),
            length=frozen(np.array([kernel.length for kernel in kernels])),
            linear=frozen(np.array([kernel.linear for kernel in kernels])),
            noise=frozen(np.array([kernel.noise for kernel in kernels])),
            amplitude=frozen(np.array([kernel.amplitude for kernel in kernels])),
        )

    def load(self, raw: JsonObject, /) -> GaussianProcessPredictor:
        """Rebuild a predictor from its dump."""
        if raw.get("regressor") != "gaussian_process" or raw.get("schema") != SCHEMA:
            raise StateError(f"not a dump of a Gaussian process, schema {SCHEMA}: {raw.get('regressor')!r}")
        return GaussianProcessPredictor(
            **{field.name: frozen(raw[field.name]) for field in fields(GaussianProcessPredictor)}
        )


def _off_zero(deviation: FloatArray, values: FloatArray) -> FloatArray:
    """Deviations to divide by: 1 for a column that does not vary beyond rounding."""
    return np.where(deviation > 1e-12 * np.maximum(np.abs(values).max(axis=0), 1e-300), deviation, 1.0)
