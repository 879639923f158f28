"""The kernel of the Gaussian process: its matrix, its slopes, and the parameters that suit data best."""

from dataclasses import dataclass

import numpy as np
import scipy.linalg
from scipy.optimize import minimize

from mixlaws.arrays import FloatArray

_ROOT5 = np.sqrt(5.0)
_LENGTH_SHIFT = 0.5  # of log l above log sqrt(d)
_LENGTH_DEVIATION, _NOISE_DEVIATION, _LINEAR_DEVIATION = 1.0, 3.0, 3.0  # of logarithms, in the prior
_NOISE_CENTRE, _LINEAR_CENTRE = -5.0, 0.0
_BOUNDS = {"length": (-3.0, 8.0), "noise": (-16.0, 3.0), "linear": (-12.0, 6.0)}  # of logarithms
_JITTER = 1e-8
_LEAST_FIT = 1e-12  # a constant target fits itself: its amplitude must not be 0


@dataclass(frozen=True)
class Kernel:
    """Parameters of one target; noise and linear in units of the amplitude."""

    length: FloatArray
    linear: float
    noise: float
    amplitude: float


def gram(left: FloatArray, right: FloatArray, length: FloatArray, linear: float) -> FloatArray:
    """(m, n) kernel between (m, d) and (n, d) coordinates, at amplitude 1."""
    r = _distance(left / length, right / length)
    matern = (1 + _ROOT5 * r + 5 / 3 * r**2) * np.exp(-_ROOT5 * r)
    return np.asarray(matern + linear * left @ right.T)


def slopes(
    at: FloatArray, fitted: FloatArray, solution: FloatArray, length: FloatArray, linear: float
) -> FloatArray:
    """(m, d) derivatives of `gram(at, fitted) @ solution` by `at`."""
    r = _distance(at / length, fitted / length)
    pull = 5 / 3 * (1 + _ROOT5 * r) * np.exp(-_ROOT5 * r) * solution
    return np.asarray(
        (pull @ fitted - pull.sum(axis=1, keepdims=True) * at) / length**2 + linear * solution @ fitted
    )


def tuned(z: FloatArray, y: FloatArray) -> Kernel:
    """The parameters of greatest posterior density for (n, d) coordinates and (n,) standardised values."""
    n, d = z.shape
    centre = np.concatenate([np.full(d, 0.5 * np.log(d) + _LENGTH_SHIFT), [_NOISE_CENTRE, _LINEAR_CENTRE]])
    deviation = np.concatenate([np.full(d, _LENGTH_DEVIATION), [_NOISE_DEVIATION, _LINEAR_DEVIATION]])
    products = z @ z.T

    def loss(theta: FloatArray) -> tuple[float, FloatArray]:
        """Minus the log posterior up to a constant, and its gradient."""
        length, noise, linear = np.exp(theta[:d]), np.exp(theta[d]), np.exp(theta[d + 1])
        scaled = z / length
        r = _distance(scaled, scaled)
        decay = np.exp(-_ROOT5 * r)
        covariance = (1 + _ROOT5 * r + 5 / 3 * r**2) * decay + linear * products
        covariance[np.diag_indices(n)] += noise + _JITTER
        factor = scipy.linalg.cholesky(covariance, lower=True, check_finite=False)
        inverse = scipy.linalg.cho_solve((factor, True), np.eye(n), check_finite=False)
        solution = inverse @ y
        fit = max(float(y @ solution), _LEAST_FIT)
        off = (theta - centre) / deviation
        value = 0.5 * n * np.log(fit) + np.log(np.diag(factor)).sum() + 0.5 * float(off @ off)
        # The derivative of the first two terms by a matrix K is -1/2 tr(G dK).
        g = n / fit * np.outer(solution, solution) - inverse
        by_distance = g * (5 / 3 * (1 + _ROOT5 * r) * decay)
        squares = scaled**2
        by_length = 2 * (squares.T @ by_distance.sum(axis=1)) - 2 * (scaled * (by_distance @ scaled)).sum(
            axis=0
        )
        gradient = -0.5 * np.concatenate(
            [by_length, [noise * np.trace(g), linear * float((g * products).sum())]]
        )
        return value, gradient + off / deviation

    bounds = [_BOUNDS["length"]] * d + [_BOUNDS["noise"], _BOUNDS["linear"]]
    best = minimize(loss, centre, jac=True, method="L-BFGS-B", bounds=bounds, options={"maxiter": 200}).x
    length, noise, linear = np.exp(best[:d]), float(np.exp(best[d])), float(np.exp(best[d + 1]))
    covariance = gram(z, z, length, linear) + (noise + _JITTER) * np.eye(n)
    fit = max(float(y @ scipy.linalg.solve(covariance, y, assume_a="pos")), _LEAST_FIT)
    return Kernel(length, linear, noise, fit / n)


def _distance(left: FloatArray, right: FloatArray) -> FloatArray:
    """(m, n) Euclidean distances."""
    squares = (left**2).sum(axis=1)[:, None] + (right**2).sum(axis=1) - 2 * left @ right.T
    return np.asarray(np.sqrt(np.maximum(squares, 0.0)))
