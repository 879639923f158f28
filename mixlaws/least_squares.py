"""Levenberg-Marquardt for many small robust fits at once.

A law is fitted from several starts, for several targets, ridges and folds; each such fit has some ten
parameters, so that calling a general solver for each costs far more than the arithmetic. Here all of
them are one batch, axis b. Every fit minimises

    sum_n mask * huber((f_n - y_n) / scale; delta) + 1/2 ridge * theta^T P theta

with huber(r; delta) = r^2 / 2 for |r| <= delta and delta |r| - delta^2 / 2 beyond, by Gauss-Newton
steps on iteratively reweighted residuals with Marquardt damping. A step is taken only if it lowers the
true objective, so the objective never rises.
"""

from collections.abc import Callable
from dataclasses import dataclass, replace

import numpy as np

from mixlaws.arrays import FloatArray, IntArray

# theta (b, p) -> values (b, n) and their derivatives (b, n, p)
Model = Callable[[FloatArray], tuple[FloatArray, FloatArray]]

_DAMPING_START = 1e-3
_DAMPING_LIMIT = 1e12  # beyond it a step no longer changes a float64 parameter
SLOPES = 2**23  # numbers in the (b, n, p) slopes that are held at once: a step has a few arrays of 64 MiB


@dataclass(frozen=True, eq=False)
class Batch:
    """What a batch of fits has in common and what each has of its own.

    Args:
        y: (b, n) values to fit.
        mask: (b, n) 1 where a fit uses a row, 0 where it is left out.
        scale: (b,) unit of the residuals.
        delta: Huber threshold in units of `scale`; infinity gives least squares.
        ridge: (b,) strength of the penalty.
        penalty: (p, p) positive semi-definite P.
        lower: (p,) lower bounds of the parameters.
    """

    y: FloatArray
    mask: FloatArray
    scale: FloatArray
    delta: float
    ridge: FloatArray
    penalty: FloatArray
    lower: FloatArray

    def rows(self, index: IntArray) -> "Batch":
        """Some of the fits."""
        return replace(
            self, y=self.y[index], mask=self.mask[index], scale=self.scale[index], ridge=self.ridge[index]
        )

    def objective(self, theta: FloatArray, values: FloatArray) -> FloatArray:
        """(b,) what each fit minimises; infinity where a value is not finite."""
        with np.errstate(over="ignore", invalid="ignore"):
            size = np.abs((values - self.y) / self.scale[:, None])
            inside = 0.5 * np.minimum(size, self.delta) ** 2
            beyond = np.where(size > self.delta, self.delta * (size - self.delta), 0.0)
            loss = ((inside + beyond) * self.mask).sum(axis=1)
            loss += 0.5 * self.ridge * ((theta @ self.penalty) * theta).sum(axis=1)
        return np.where(np.isfinite(loss), loss, np.inf)


def minimise(
    model: Model, start: FloatArray, batch: Batch, *, iterations: int = 200, tolerance: float = 1e-10
) -> tuple[FloatArray, FloatArray]:
    """Minimise every fit of a batch from its start.

    A fit leaves the batch once a step, taken or refused, could lower its objective by no more than the
    tolerance, so that the slowest fit does not hold up the others.

    Args:
        model: the law; it is called with the parameters of the fits that are still under way.
        start: (b, p) starting parameters.
        batch: data and penalties.
        iterations: most steps that are tried.
        tolerance: relative fall of the objective under which a fit counts as done.

    Returns:
        (b, p) parameters and (b,) objectives.
    """
    at_once = max(SLOPES // (batch.y.shape[1] * start.shape[1]), 1)
    parts = [np.arange(first, min(first + at_once, len(start))) for first in range(0, len(start), at_once)]
    found = [_minimised(model, start[part], batch.rows(part), iterations, tolerance) for part in parts]
    return np.concatenate([theta for theta, _ in found]), np.concatenate([best for _, best in found])


def _minimised(
    model: Model, start: FloatArray, batch: Batch, iterations: int, tolerance: float
) -> tuple[FloatArray, FloatArray]:
    theta = np.maximum(start, batch.lower)
    best = np.empty(len(theta))
    going = np.arange(len(theta))
    part, now = batch, theta.copy()
    values, jacobian = _evaluated(model, now)
    lowest = part.objective(now, values)
    damping = np.full(len(now), _DAMPING_START)
    for _ in range(iterations):
        step, promised = _step(now, values, jacobian, damping, part)
        trial = np.maximum(now + step, part.lower)
        trial_values, trial_jacobian = _evaluated(model, trial)
        objective = part.objective(trial, trial_values)
        better = objective < lowest
        with np.errstate(invalid="ignore"):
            gain = np.where(better, lowest - objective, promised)
        now = np.where(better[:, None], trial, now)
        values = np.where(better[:, None], trial_values, values)
        trial_jacobian[~better] = jacobian[~better]
        jacobian = trial_jacobian
        lowest = np.where(better, objective, lowest)
        damping = np.clip(np.where(better, damping / 3, damping * 4), 1e-12, _DAMPING_LIMIT)
        going_on = (gain > tolerance * np.abs(lowest)) & (damping < _DAMPING_LIMIT)
        theta[going], best[going] = now, lowest
        if not going_on.any():
            break
        if not going_on.all():
            kept = np.flatnonzero(going_on)
            going, part = going[kept], part.rows(kept)
            now, values, jacobian = now[kept], values[kept], jacobian[kept]
            lowest, damping = lowest[kept], damping[kept]
    return theta, best


def _evaluated(model: Model, theta: FloatArray) -> tuple[FloatArray, FloatArray]:
    with np.errstate(over="ignore", invalid="ignore"):
        return model(theta)


def _step(
    theta: FloatArray, values: FloatArray, jacobian: FloatArray, damping: FloatArray, batch: Batch
) -> tuple[FloatArray, FloatArray]:
    """(b, p) damped Gauss-Newton steps, and (b,) the falls that the quadratic model promises for them."""
    residual = (values - batch.y) / batch.scale[:, None]
    size = np.abs(residual)
    emphasis = batch.mask * np.where(size > batch.delta, batch.delta / np.maximum(size, 1e-300), 1.0)
    # Scales go into the weights of rows: the (b, n, p) slopes are most of the memory that a step moves.
    weighted = jacobian * (emphasis / batch.scale[:, None] ** 2)[:, :, None]
    hessian = np.matmul(weighted.transpose(0, 2, 1), jacobian) + batch.ridge[:, None, None] * batch.penalty
    gradient = np.matmul((values - batch.y)[:, None, :], weighted)[:, 0] + batch.ridge[:, None] * (
        theta @ batch.penalty
    )
    # A parameter that rests on its bound and is pushed against it takes no part in this step.
    held = (theta <= batch.lower) & (gradient > 0)
    gradient = np.where(held, 0.0, gradient)
    hessian = np.where(held[:, :, None] | held[:, None, :], 0.0, hessian)
    diagonal = np.einsum("bpp->bp", hessian)
    lift = damping[:, None] * np.maximum(diagonal, 1e-9 * diagonal.max(axis=1, keepdims=True) + 1e-300)
    damped = hessian + np.where(held, 1.0, lift)[:, :, None] * np.eye(theta.shape[1])
    step = _solved(damped, -gradient)
    promised = -(gradient * step).sum(axis=1) - 0.5 * (
        np.matmul(hessian, step[:, :, None])[:, :, 0] * step
    ).sum(axis=1)
    return step, promised


def _solved(matrices: FloatArray, sides: FloatArray) -> FloatArray:
    """(b, p) solutions of (b, p, p) systems; of least norm where one is singular."""
    try:
        return np.asarray(np.linalg.solve(matrices, sides[:, :, None])[:, :, 0])
    except np.linalg.LinAlgError:
        pairs = zip(matrices, sides, strict=True)
        return np.stack([np.linalg.lstsq(matrix, side, rcond=None)[0] for matrix, side in pairs])
