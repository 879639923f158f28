"""Gaussian process on roots of the weights, one per target.

    log(y - c) = m + f(z) + noise,    z = (w^(1/q) - centre) / spread,
    k(z, z') = s^2 [ M(r) + b z · z' ],    r^2 = sum_j (z_j - z'_j)^2 / l_j^2,

with M the Matérn function of smoothness 5/2 or 3/2. On roots a step from 0 to 0.01 counts as much as one
from 0.25 to 0.36 (q = 2): domains with small shares matter, and the map is smooth down to zero where a
logarithm is not. Every target has a length for every domain, since it answers to few of them; the linear
part carries trends beyond the data. The floor c below the data is 0, or found with the rest: then values
of any sign will do. Where c is 0 and a value is not positive, y is fitted as it is.

Lengths, b, c and the share of noise maximise the likelihood times a prior (as in Hvarfner et al. 2024,
arXiv:2402.02229: lengths grow with sqrt(d), without which a dozen lengths cannot be told from thirty
runs); s^2 is profiled out. Gradients are analytic. A dump holds runs and parameters, and no pickle.
"""

from dataclasses import dataclass, fields
from functools import cached_property, partial
from typing import Literal

import numpy as np
import scipy.linalg

from mixlaws.arrays import FloatArray, IntArray, JsonObject, frozen
from mixlaws.errors import StateError, SwarmTooSmallError
from mixlaws.parallel import over_targets
from mixlaws.regressors.kernel import Smoothness, gram, slopes
from mixlaws.regressors.tuning import Kernel, tuned
from mixlaws.swarm import Swarm, require_mixtures

SCHEMA = 2
MINIMUM_RUNS = 4
_SMALLEST_WEIGHT = 1e-9  # the slope of a square root is infinite at 0
_JITTER = 1e-8


@dataclass(frozen=True, eq=False)
class GaussianProcessPredictor:
    """A fitted process.

    Args:
        weights: (n, d) mixtures of the fitted runs.
        values: (n, t) standardised values, or logarithms of what values are above the floor.
        logarithmic: (t,) 1 where values are logarithms.
        floor: (t,) c.
        mean: (t,) and scale: (t,) what standardisation took away.
        centre: (d,) and spread: (d,) of the roots of weights.
        length: (t, d) l, linear: (t,) b, noise: (t,) variance of the noise, amplitude: (t,) s^2; noise is
            in units of s^2.
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
    root: int
    smoothness: Smoothness

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
        """
        factors, solutions = self._factors
        values, variance = np.empty_like(self.values), np.empty_like(self.values)
        for t in range(len(self.mean)):
            inverse = scipy.linalg.cho_solve((factors[t], True), np.eye(len(self.weights)))
            for fold in np.unique(folds):
                rows = np.flatnonzero(folds == fold)
                covariance = np.linalg.inv(inverse[np.ix_(rows, rows)])
                values[rows, t] = self.values[rows, t] - covariance @ solutions[t][rows]
                variance[rows, t] = np.diag(covariance) - self.noise[t]
        predicted = self._untransformed(values)
        worth = np.where(self.logarithmic > 0, predicted - self.floor, 1.0)
        return predicted, self.scale * worth * np.sqrt(self.amplitude * np.maximum(variance, 0.0))

    def dump(self) -> JsonObject:
        """Runs and parameters as JSON."""
        return {"schema": SCHEMA, "regressor": "gaussian_process"} | {
            field.name: value.tolist() if isinstance(value, np.ndarray) else value
            for field in fields(self)
            for value in [getattr(self, field.name)]
        }


@dataclass(frozen=True)
class GaussianProcess:
    """Hyperparameters; all else is chosen by the likelihood and its prior.

    Args:
        root: q; 1 takes weights as they are, larger ones tell small shares apart.
        smoothness: of the Matérn function.
        linear: whether the kernel has a linear part.
        floor: whether c is found with the rest, or 0.
        tuning_runs: runs that lengths are tuned on, at most; they are known well before their cost, the
            cube of that number, is felt.
    """

    root: Literal[1, 2, 4] = 2
    smoothness: Smoothness = "5/2"
    linear: bool = True
    floor: bool = False
    tuning_runs: int = 256

    def fit(self, swarm: Swarm, /, *, rng: np.random.Generator) -> GaussianProcessPredictor:
        """Fit every target.

        Raises:
            SwarmTooSmallError: fewer than four runs.
            RunsAlikeError: all runs have one mixture.
        """
        if len(swarm) < MINIMUM_RUNS:
            raise SwarmTooSmallError(method="a Gaussian process", needed=MINIMUM_RUNS, got=len(swarm))
        require_mixtures(swarm, method="a Gaussian process")
        return self.fitted(swarm.weights, swarm.values, rng=rng)

    def fitted(
        self, weights: FloatArray, values: FloatArray, /, *, others: int = 0, rng: np.random.Generator
    ) -> GaussianProcessPredictor:
        """Fit (n, t) values over (n, d) rows of which the last columns, `others`, are no shares.

        Those are any coordinates >= 0, whose roots stay in the unit that they have.
        """
        at = roots(weights, self.root)
        centre, spread = at.mean(axis=0), _off_zero(at.std(axis=0), at)
        spread[len(spread) - others :] = 1.0
        z = (at - centre) / spread
        part = np.sort(rng.permutation(len(weights))[: self.tuning_runs])
        varies = np.ptp(values, axis=0) > 1e-9 * np.abs(values).max(axis=0)
        has_floor = varies & self.floor
        tune = partial(_tuned, z[part], self.smoothness, linear=self.linear)
        lowest = [
            float(low) if found else None for low, found in zip(values.min(axis=0), has_floor, strict=True)
        ]
        kernels = over_targets(tune, list(zip(values[part].T, lowest, strict=True)))
        floor = np.where(has_floor, [kernel.floor for kernel in kernels], 0.0)
        logarithmic = has_floor | np.all(values > 0, axis=0)
        fitted = np.where(logarithmic, np.log(np.where(logarithmic, values - floor, 1.0)), values)
        mean, scale = fitted.mean(axis=0), _off_zero(fitted.std(axis=0), fitted)
        return GaussianProcessPredictor(
            weights=frozen(weights),
            values=frozen((fitted - mean) / scale),
            logarithmic=frozen(logarithmic.astype(np.float64)),
            floor=frozen(floor),
            mean=frozen(mean),
            scale=frozen(scale),
            centre=frozen(centre),
            spread=frozen(spread),
            length=frozen(np.array([kernel.length for kernel in kernels])),
            linear=frozen(np.array([kernel.linear for kernel in kernels])),
            noise=frozen(np.array([kernel.noise for kernel in kernels])),
            amplitude=frozen(np.array([kernel.amplitude for kernel in kernels])),
            root=self.root,
            smoothness=self.smoothness,
        )

    def load(self, raw: JsonObject, /) -> GaussianProcessPredictor:
        """Rebuild a predictor from its dump."""
        if raw.get("regressor") != "gaussian_process" or raw.get("schema") != SCHEMA:
            raise StateError(f"not a dump of a Gaussian process, schema {SCHEMA}: {raw.get('regressor')!r}")
        arrays = {name: frozen(value) for name, value in raw.items() if isinstance(value, list)}
        return GaussianProcessPredictor(**arrays, root=raw["root"], smoothness=raw["smoothness"])


@dataclass(frozen=True)
class RoughGaussianProcess(GaussianProcess):
    """The process for sharp bends towards small weights: fourth roots, a rougher kernel and a floor."""

    root: Literal[1, 2, 4] = 4
    smoothness: Smoothness = "3/2"
    linear: bool = False
    floor: bool = True


def roots(weights: FloatArray, root: int) -> FloatArray:
    """Weights to the power 1/root."""
    positive = np.maximum(weights, 0.0)
    return np.asarray(positive if root == 1 else positive ** (1.0 / root))


def _tuned(
    z: FloatArray, smoothness: Smoothness, target: tuple[FloatArray, float | None], *, linear: bool
) -> Kernel:
    values, floor_below = target
    return tuned(z, values, smoothness, linear=linear, floor_below=floor_below)


def _off_zero(deviation: FloatArray, values: FloatArray) -> FloatArray:
    """Deviations to divide by: 1 for a column that does not vary beyond rounding."""
    return np.where(deviation > 1e-12 * np.maximum(np.abs(values).max(axis=0), 1e-300), deviation, 1.0)
