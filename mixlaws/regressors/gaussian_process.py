"""Gaussian process on square-root weights, one per target.

    k(w, v) = s^2 exp(-|sqrt(w) - sqrt(v)|^2 / (2 l^2)),    y = f(w) + noise

On square roots a step from 0 to 0.01 counts as much as one from 0.25 to 0.36: domains with small shares
matter, and the map is smooth down to zero where a logarithm is not. Values are standardised per target;
s, l and the noise maximise the marginal likelihood (scikit-learn). Prediction, derivatives and joint
draws are computed here from the stored kernel, so that a dump needs no pickled model.
"""

import warnings
from dataclasses import dataclass
from functools import cached_property

import numpy as np
import scipy.linalg
from sklearn.exceptions import ConvergenceWarning
from sklearn.gaussian_process import GaussianProcessRegressor
from sklearn.gaussian_process.kernels import RBF, ConstantKernel, WhiteKernel

from mixlaws.arrays import FloatArray, JsonObject, frozen
from mixlaws.errors import StateError, SwarmTooSmallError
from mixlaws.swarm import Swarm

SCHEMA = 1
MINIMUM_RUNS = 4  # three kernel parameters and a mean
_SMALLEST_WEIGHT = 1e-9  # the slope of a square root is infinite at 0


@dataclass(frozen=True, eq=False)
class GaussianProcessPredictor:
    """A fitted process.

    Args:
        weights: (n, d) mixtures of the fitted runs.
        values: (n, t) standardised values.
        mean: (t,) and scale: (t,) what standardisation took away, nats per token.
        amplitude: (t,) s^2, length: (t,) l, noise: (t,) noise variance; all of standardised values.
    """

    weights: FloatArray
    values: FloatArray
    mean: FloatArray
    scale: FloatArray
    amplitude: FloatArray
    length: FloatArray
    noise: FloatArray

    @cached_property
    def _factors(self) -> tuple[FloatArray, FloatArray]:
        """Cholesky factors (t, n, n) of the kernel matrices and their solutions (t, n)."""
        n = len(self.weights)
        factors = np.empty((len(self.mean), n, n))
        solutions = np.empty((len(self.mean), n))
        for t in range(len(self.mean)):
            gram = self._kernel(self.weights, t) + (self.noise[t] + 1e-10) * np.eye(n)
            factors[t] = scipy.linalg.cholesky(gram, lower=True)
            solutions[t] = scipy.linalg.cho_solve((factors[t], True), self.values[:, t])
        return factors, solutions

    def _kernel(self, weights: FloatArray, t: int) -> FloatArray:
        """(m, n) covariances between mixtures and the fitted runs."""
        return _rbf(weights, self.weights, self.amplitude[t], self.length[t])

    def predict(self, weights: FloatArray, /) -> FloatArray:
        """(n, t) posterior means, nats per token."""
        _, solutions = self._factors
        columns = [self._kernel(weights, t) @ solutions[t] for t in range(len(self.mean))]
        return np.asarray(self.mean + self.scale * np.stack(columns, axis=1))

    def jacobian(self, weights: FloatArray, /) -> FloatArray:
        """(n, t, d) derivatives of the posterior means."""
        _, solutions = self._factors
        roots = np.sqrt(np.maximum(weights, _SMALLEST_WEIGHT))
        fitted = np.sqrt(self.weights)
        slopes = np.empty((len(weights), len(self.mean), weights.shape[1]))
        for t in range(len(self.mean)):
            pull = self._kernel(weights, t) * solutions[t]
            by_root = (pull @ fitted - pull.sum(axis=1, keepdims=True) * roots) / self.length[t] ** 2
            slopes[:, t, :] = self.scale[t] * by_root / (2 * roots)
        return slopes

    def deviation(self, weights: FloatArray, /) -> FloatArray:
        """(n, t) posterior standard deviations of the noise-free targets, nats per token."""
        factors, _ = self._factors
        columns = []
        for t in range(len(self.mean)):
            reach = scipy.linalg.solve_triangular(factors[t], self._kernel(weights, t).T, lower=True)
            columns.append(np.sqrt(np.maximum(self.amplitude[t] - (reach**2).sum(axis=0), 0.0)))
        return np.asarray(self.scale * np.stack(columns, axis=1))

    def sample(self, weights: FloatArray, /, *, count: int, rng: np.random.Generator) -> FloatArray:
        """(count, n, t) joint draws of the noise-free targets; targets are independent of each other."""
        factors, _ = self._factors
        means = self.predict(weights)
        draws = np.empty((count, *means.shape))
        for t in range(means.shape[1]):
            prior = _rbf(weights, weights, self.amplitude[t], self.length[t])
            reach = scipy.linalg.solve_triangular(factors[t], self._kernel(weights, t).T, lower=True)
            covariance = prior - reach.T @ reach
            # Eigenvalues and not Cholesky: the posterior of near-equal mixtures is singular to rounding.
            spectrum, axes = np.linalg.eigh(covariance)
            spread = axes * np.sqrt(np.maximum(spectrum, 0.0))
            draws[:, :, t] = means[:, t] + self.scale[t] * (
                rng.standard_normal((count, len(weights))) @ spread.T
            )
        return draws

    def dump(self) -> JsonObject:
        """Runs and kernels as JSON."""
        fields = ("weights", "values", "mean", "scale", "amplitude", "length", "noise")
        return {"schema": SCHEMA, "regressor": "gaussian_process"} | {
            name: getattr(self, name).tolist() for name in fields
        }


@dataclass(frozen=True)
class GaussianProcess:
    """Hyperparameters of the fit.

    Args:
        restarts: random starts of the likelihood maximisation beyond the default one.
    """

    restarts: int = 2

    def fit(self, swarm: Swarm, /, *, rng: np.random.Generator) -> GaussianProcessPredictor:
        """Fit every target.

        Raises:
            SwarmTooSmallError: fewer than four runs.
        """
        if len(swarm) < MINIMUM_RUNS:
            raise SwarmTooSmallError(method="a Gaussian process", needed=MINIMUM_RUNS, got=len(swarm))
        mean, scale = swarm.values.mean(axis=0), swarm.values.std(axis=0)
        scale = np.where(scale > 0, scale, 1.0)
        values = (swarm.values - mean) / scale
        roots = np.sqrt(swarm.weights)
        kernels = np.array([self._kernel(roots, column, rng) for column in values.T])
        return GaussianProcessPredictor(
            weights=swarm.weights,
            values=frozen(values),
            mean=frozen(mean),
            scale=frozen(scale),
            amplitude=frozen(kernels[:, 0]),
            length=frozen(kernels[:, 1]),
            noise=frozen(kernels[:, 2]),
        )

    def load(self, raw: JsonObject, /) -> GaussianProcessPredictor:
        """Rebuild a predictor from its dump."""
        if raw.get("regressor") != "gaussian_process" or raw.get("schema") != SCHEMA:
            raise StateError(f"not a dump of a Gaussian process, schema {SCHEMA}: {raw.get('regressor')!r}")
        fields = ("weights", "values", "mean", "scale", "amplitude", "length", "noise")
        return GaussianProcessPredictor(**{name: frozen(raw[name]) for name in fields})

    def _kernel(
        self, roots: FloatArray, values: FloatArray, rng: np.random.Generator
    ) -> tuple[float, float, float]:
        """Amplitude, length and noise of greatest likelihood for one standardised target."""
        kernel = ConstantKernel(1.0, (1e-3, 1e3)) * RBF(0.5, (0.05, 20.0)) + WhiteKernel(0.05, (1e-6, 1.0))
        regressor = GaussianProcessRegressor(
            kernel, n_restarts_optimizer=self.restarts, random_state=int(rng.integers(2**31))
        )
        with warnings.catch_warnings():
            # A parameter on its bound is an answer here: a constant target has no length.
            warnings.simplefilter("ignore", ConvergenceWarning)
            regressor.fit(roots, values)
        fitted = regressor.kernel_
        return fitted.k1.k1.constant_value, float(fitted.k1.k2.length_scale), fitted.k2.noise_level


def _rbf(left: FloatArray, right: FloatArray, amplitude: float, length: float) -> FloatArray:
    """(m, n) kernel between two sets of mixtures, on their square roots."""
    # |sqrt(w)|^2 = sum(w) = 1 on the simplex, but derivatives are taken off it: hence the sums.
    a, b = np.sqrt(np.maximum(left, 0.0)), np.sqrt(np.maximum(right, 0.0))
    distance = (a**2).sum(axis=1)[:, None] + (b**2).sum(axis=1) - 2 * a @ b.T
    return np.asarray(amplitude * np.exp(-np.maximum(distance, 0.0) / (2 * length**2)))
