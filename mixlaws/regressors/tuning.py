"""The parameters of the Gaussian process that suit one target best: greatest posterior density."""

from dataclasses import dataclass

import numpy as np
import scipy.linalg
from scipy.optimize import minimize

from mixlaws.arrays import FloatArray
from mixlaws.regressors.kernel import Smoothness, distances, matern

# Logarithms have normal priors: centre, deviation.
_LENGTH = (0.5, 1.0)  # above log sqrt(d)
_NOISE = (-5.0, 3.0)
_LINEAR = (0.0, 3.0)
_GAP = (0.0, 1.5)  # from floor to the smallest value, in deviations of the values
_REACH = 6.0  # deviations of its prior that a parameter may go from its centre
_LIMIT = 6.0  # of the logarithms of noise and linear part: beyond it the Matérn part is lost to rounding
_JITTER = 1e-8
_LEAST_FIT = 1e-12  # a constant target fits itself: its amplitude must not be 0


@dataclass(frozen=True, eq=False)
class Observed:
    """What was measured of one target.

    Args:
        y: (n,) means of the runs of each row.
        count: (n,) runs.
        ratio: (n,) variance of the noise of one run, in units of the parameter that is tuned.
        scatter: (n,) sums of squares of the runs around their mean.
    """

    y: FloatArray
    count: FloatArray
    ratio: FloatArray
    scatter: FloatArray


@dataclass(frozen=True)
class Kernel:
    """Parameters of one target; noise and linear in units of the amplitude, floor in that of the target."""

    length: FloatArray
    linear: float
    noise: float
    amplitude: float
    floor: float


def tuned(
    z: FloatArray, observed: Observed, smoothness: Smoothness, *, linear: bool, floor_below: float | None
) -> Kernel:
    """The parameters for (n, d) coordinates.

    Args:
        z: coordinates.
        observed: values; without a floor they are fitted as logarithms where all are positive.
        smoothness: of the Matérn function.
        linear: whether the kernel has a linear part.
        floor_below: smallest value of the target, below which a floor is sought; None for no floor.
    """
    posterior = _Posterior(z, observed, smoothness, linear=linear, floor_below=floor_below)
    reach = _REACH * posterior.deviation
    highest = posterior.centre + reach
    highest[z.shape[1] : z.shape[1] + 1 + linear] = _LIMIT
    bounds = list(zip(posterior.centre - reach, highest, strict=True))
    best = minimize(
        posterior, posterior.centre, jac=True, method="L-BFGS-B", bounds=bounds, options={"maxiter": 200}
    )
    return posterior.kernel(best.x)


class _Posterior:
    """Minus the log posterior of logarithms of (lengths, noise[, linear][, gap]), with its gradient.

    Rows of several runs count as all of these would: with W the scatter over its ratio in units of the fitted
    values, e the noise and N runs, W / e joins the fit and (N - n) / 2 log e the determinant.
    """

    def __init__(
        self,
        z: FloatArray,
        observed: Observed,
        smoothness: Smoothness,
        *,
        linear: bool,
        floor_below: float | None,
    ) -> None:
        d = z.shape[1]
        y = observed.y
        self.z, self.y, self.smoothness = z, y, smoothness
        self.count, self.relative = observed.count, observed.ratio / observed.count
        self.within, self.runs = observed.scatter / observed.ratio, float(observed.count.sum())
        self.has_linear, self.floor_below = linear, floor_below
        self.unit = max(float(y.std()), 1e-300)
        self.products = z @ z.T
        priors = [(0.5 * np.log(d) + _LENGTH[0], _LENGTH[1])] * d + [_NOISE]
        priors += [_LINEAR] * linear + [_GAP] * (floor_below is not None)
        self.centre, self.deviation = np.array(priors).T
        fixed = np.log(y) if y.min() > 0 else y
        spread = float(fixed.std())
        spread = spread if spread > 1e-12 * np.abs(fixed).max() else 1.0
        self.fixed = (fixed - fixed.mean()) / spread
        self.fixed_slope = (1 / y if y.min() > 0 else np.ones_like(y)) / spread

    def __call__(self, theta: FloatArray) -> tuple[float, FloatArray]:
        """Value, up to a constant, and gradient."""
        n, d = self.z.shape
        length, noise, linear = np.exp(theta[:d]), np.exp(theta[d]), self._linear(theta)
        values, change, slope, jacobian = self._values(theta)
        within = self.within * slope**2
        scaled = self.z / length
        kernel, fall = matern(distances(scaled, scaled), self.smoothness)
        covariance = kernel + linear * self.products
        covariance[np.diag_indices(n)] += noise * self.relative + _JITTER
        factor = scipy.linalg.cholesky(covariance, lower=True, check_finite=False)
        inverse = scipy.linalg.cho_solve((factor, True), np.eye(n), check_finite=False)
        solution = inverse @ values
        fit = max(float(values @ solution + within.sum() / noise), _LEAST_FIT)
        off = (theta - self.centre) / self.deviation
        value = 0.5 * self.runs * np.log(fit) + np.log(np.diag(factor)).sum()
        value += 0.5 * (self.runs - n) * theta[d] + jacobian + 0.5 * float(off @ off)
        # The derivative of the first two terms by a matrix K is -1/2 tr(G dK).
        g = self.runs / fit * np.outer(solution, solution) - inverse
        by_distance = g * fall
        by_length = 2 * (
            (scaled**2).T @ by_distance.sum(axis=1) - (scaled * (by_distance @ scaled)).sum(axis=0)
        )
        by_noise = noise * float(np.diag(g) @ self.relative) + self.runs / fit * within.sum() / noise
        gradient = [*(-0.5 * by_length), 0.5 * (self.runs - n - by_noise)]
        if self.has_linear:
            gradient.append(-0.5 * linear * float((g * self.products).sum()))
        if self.floor_below is not None:
            by_gap = solution @ (change - change.mean()) - within @ change / noise
            gradient.append(self.runs / fit * float(by_gap) + float(self.count @ change))
        return value, np.array(gradient) + off / self.deviation

    def kernel(self, theta: FloatArray) -> Kernel:
        """The parameters that a point stands for."""
        d = self.z.shape[1]
        length, noise, linear = np.exp(theta[:d]), float(np.exp(theta[d])), self._linear(theta)
        values, _, slope, _ = self._values(theta)
        deviation = float(values.std()) or 1.0
        values, within = values / deviation, float(self.within @ (slope / deviation) ** 2) / noise
        kernel, _ = matern(distances(self.z / length, self.z / length), self.smoothness)
        covariance = kernel + linear * self.products + np.diag(noise * self.relative + _JITTER)
        between = float(values @ scipy.linalg.solve(covariance, values, assume_a="pos"))
        fit = max(between + within, _LEAST_FIT)
        floor = 0.0 if self.floor_below is None else self.floor_below - self._gap(theta)
        return Kernel(length, linear, noise, fit / self.runs, floor)

    def _linear(self, theta: FloatArray) -> float:
        return float(np.exp(theta[self.z.shape[1] + 1])) if self.has_linear else 0.0

    def _gap(self, theta: FloatArray) -> float:
        return self.unit * float(np.exp(theta[-1]))

    def _values(self, theta: FloatArray) -> tuple[FloatArray, FloatArray, FloatArray, float]:
        """(n,) centred values, their derivatives by the log gap and by y, and the log Jacobian over runs."""
        if self.floor_below is None:
            return self.fixed, np.zeros(0), self.fixed_slope, 0.0
        gap = self._gap(theta)
        above = self.y - (self.floor_below - gap)
        values = np.log(above)
        return values - values.mean(), gap / above, 1 / above, float(self.count @ values)
