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
from dataclasses import dataclass

import numpy as np

from mixlaws.arrays import FloatArray

# theta (b, p) -> values (b, n) and their derivatives (b, n, p)
Model = Callable[[FloatArray], tuple[FloatArray, FloatArray]]

_DAMPING_START = 1e-3
_DAMPING_LIMIT = 1e12  # beyond it a step no longer changes a float64 parameter


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

    def objective(self, theta: FloatArray, values: FloatArray) -> FloatArray:
        """(b,) what each fit minimises; infinity where a value is not finite."""
        size = np.abs((values - self.y) / self.scale[:, None])
        with np.errstate(over="ignore", invalid="ignore"):
            inside = 0.5 * np.minimum(size, self.delta) ** 2
            beyond = np.where(size > self.delta, self.delta * (size - self.delta), 0.0)
            loss = ((inside + beyond) * self.mask).sum(axis=1)
            loss += 0.5 * self.ridge * np.einsum("bp,pq,bq->b", theta, self.penalty, theta)
        return np.where(np.isfinite(loss), loss, np.inf)


def minimise(
    model: Model, start: FloatArray, batch: Batch, *, iterations: int = 200, tolerance: float = 1e-10
) -> tuple[FloatArray, FloatArray]:
    """Minimise every fit of a batch from its start.

    Args:
        model: the law; it is called with all b rows of parameters.
        start: (b, p) starting parameters.
        batch: data and penalties.
        iterations: most steps that are tried.
        tolerance: relative fall of the objective under which a fit counts as done.

    Returns:
        (b, p) parameters and (b,) objectives.
    """
    theta = np.maximum(start, batch.lower)
    values, jacobian = model(theta)
    best = batch.objective(theta, values)
    damping = np.full(len(theta), _DAMPING_START)
    quiet = np.zeros(len(theta), dtype=np.int64)
    for _ in range(iterations):
        step = _step(theta, values, jacobian, damping, batch)
        trial = np.maximum(theta + step, batch.lower)
        with np.errstate(over="ignore", invalid="ignore"):
            trial_values, trial_jacobian = model(trial)
        objective = batch.objective(trial, trial_values)
        better = objective < best
        fall = np.where(better, best - objective, 0.0)
        quiet = np.where(better & (fall > tolerance * (np.abs(best) + 1e-300)), 0, quiet + 1)
        theta = np.where(better[:, None], trial, theta)
        values = np.where(better[:, None], trial_values, values)
        jacobian = np.where(better[:, None, None], trial_jacobian, jacobian)
        best = np.where(better, objective, best)
        damping = np.clip(np.where(better, damping / 3, damping * 4), 1e-12, _DAMPING_LIMIT)
        # Six refusals raise the damping 4000-fold: what lowers nothing by then is a minimum.
        if np.all((quiet >= 6) | (damping >= _DAMPING_LIMIT)):
            break
    return theta, best


def _step(
    theta: FloatArray, values: FloatArray, jacobian: FloatArray, damping: FloatArray, batch: Batch
) -> FloatArray:
    """(b, p) damped Gauss-Newton steps."""
    residual = (values - batch.y) / batch.scale[:, None]
    size = np.abs(residual)
    emphasis = batch.mask * np.where(size > batch.delta, batch.delta / np.maximum(size, 1e-300), 1.0)
    slopes = jacobian / batch.scale[:, None, None]
    weighted = slopes * emphasis[:, :, None]
    hessian = np.matmul(weighted.transpose(0, 2, 1), slopes) + batch.ridge[:, None, None] * batch.penalty
    gradient = np.einsum("bnp,bn->bp", weighted, residual) + batch.ridge[:, None] * (theta @ batch.penalty)
    # A parameter that rests on its bound and is pushed against it takes no part in this step.
    held = (theta <= batch.lower) & (gradient > 0)
    gradient = np.where(held, 0.0, gradient)
    hessian = np.where(held[:, :, None] | held[:, None, :], 0.0, hessian)
    p = theta.shape[1]
    diagonal = np.einsum("bpp->bp", hessian)
    lift = damping[:, None] * np.maximum(diagonal, 1e-9 * diagonal.max(axis=1, keepdims=True) + 1e-300)
    lift = np.where(held, 1.0, lift)
    hessian = hessian + lift[:, :, None] * np.eye(p)
    try:
        solved: FloatArray = np.linalg.solve(hessian, -gradient[:, :, None])[:, :, 0]
    except np.linalg.LinAlgError:
        solved = np.stack(
            [np.linalg.lstsq(h, -g, rcond=None)[0] for h, g in zip(hessian, gradient, strict=True)]
        )
    return solved
