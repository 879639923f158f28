"""Exact minimum of a convex quadratic over the capped simplex, by an active set.

    min_w  w' Q w / 2 - b' w    subject to  l <= w <= u,  sum(w) = 1

Some weights are held at a bound. The others solve a linear system, in which one multiplier keeps their sum.
A step towards its solution stops at the first bound that it meets, and that weight is held too. Where the
solution is reached, a held weight whose slope points inwards is let go, the steepest first; if there is
none, the conditions of Karush, Kuhn and Tucker hold. Each set of held weights has one minimum and the
objective falls, so none comes twice (Nocedal and Wright 2006, algorithm 16.3).

Directions without curvature would have no minimum of their own. So a little curvature around the last
answer is added, and that is repeated until the answer stays (proximal points).
"""

import numpy as np

from mixlaws.arrays import BoolArray, FloatArray
from mixlaws.errors import FitError, InvalidInputError
from mixlaws.optimality import kkt_gap
from mixlaws.simplex import project

_ROUNDS_PER_DOMAIN = 50  # some 2 are usual; degenerate problems revisit a few bounds
_RELATIVE_GAP = 1e-9  # of the largest coefficient: what rounding leaves
_ROUNDING = 1e-13  # of the largest coefficient: slopes that differ by less are equal
_STILL = 1e-10  # weights that move by less have arrived
_PROXIMITY = 1e-6  # curvature that is added, of the largest coefficient
_PROXIMAL_STEPS = 100  # 2 where Q has an inverse, a few where it has none


def minimise_quadratic(
    matrix: FloatArray, vector: FloatArray, lower: FloatArray, upper: FloatArray
) -> FloatArray:
    """(d,) the minimum; where there are several, one of them.

    Args:
        matrix: Q (d, d), symmetric and without negative eigenvalues.
        vector: b (d,).
        lower: (d,) lower bounds.
        upper: (d,) upper bounds.

    Raises:
        InvalidInputError: shapes disagree, a value is not finite, or Q is not symmetric or not convex.
        InfeasibleError: the bounds admit no mixture.
        FitError: the conditions of optimality were not reached.
    """
    scale = _check(matrix, vector)
    matrix, vector = matrix / scale, vector / scale
    weights = project(np.full(len(vector), 1.0 / len(vector)), lower, upper)
    curved = matrix + _PROXIMITY * np.eye(len(vector))
    for _ in range(_PROXIMAL_STEPS):
        before = weights
        weights = _active_set(curved, vector + _PROXIMITY * before, lower, upper, before)
        if np.abs(weights - before).max() <= _STILL:
            break
    gap = kkt_gap(matrix @ weights - vector, weights, lower, upper)
    if gap > _RELATIVE_GAP:
        raise FitError(f"the quadratic stopped {gap * scale:.3g} above its minimum: check its coefficients")
    return weights


def _active_set(
    matrix: FloatArray, vector: FloatArray, lower: FloatArray, upper: FloatArray, start: FloatArray
) -> FloatArray:
    """(d,) the minimum, where every direction has curvature."""
    weights = start
    held = (weights <= lower) | (weights >= upper)
    # One weight is always free: it alone cannot move, but its slope is the level that others are held to.
    held[(upper - lower).argmax()] = False
    for _ in range(_ROUNDS_PER_DOMAIN * len(vector)):
        step, level = _step(matrix, matrix @ weights - vector, held)
        length, blocking = _reach(weights, step, lower, upper, held)
        weights = np.clip(weights + length * step, lower, upper)
        if blocking is not None:
            weights[blocking] = upper[blocking] if step[blocking] > 0 else lower[blocking]
            held[blocking] = True
            continue
        slopes = matrix @ weights - vector - level
        gain = np.where(held & (lower < upper), np.where(weights <= lower, -slopes, slopes), 0.0)
        worst = int(gain.argmax())
        if gain[worst] <= _ROUNDING:
            break
        held[worst] = False
    return project(weights, lower, upper)


def _check(matrix: FloatArray, vector: FloatArray) -> float:
    d = len(vector)
    if matrix.shape != (d, d):
        raise InvalidInputError(f"the matrix has shape {matrix.shape}: expected ({d}, {d})")
    if not (np.all(np.isfinite(matrix)) and np.all(np.isfinite(vector))):
        raise InvalidInputError("a coefficient of the quadratic is NaN or infinite")
    scale = max(float(np.abs(matrix).max()), float(np.abs(vector).max()), np.finfo(np.float64).tiny)
    if np.abs(matrix - matrix.T).max() > 1e-9 * scale:
        raise InvalidInputError("the matrix of the quadratic is not symmetric")
    if np.linalg.eigvalsh(matrix).min() < -1e-9 * d * scale:
        raise InvalidInputError("the matrix of the quadratic has a negative eigenvalue: it is not convex")
    return scale


def _step(matrix: FloatArray, gradient: FloatArray, held: BoolArray) -> tuple[FloatArray, float]:
    """(d,) step to the minimum over the free weights with their sum kept, and the slope they share there."""
    free = np.flatnonzero(~held)
    step = np.zeros(len(gradient))
    system = np.ones((len(free) + 1, len(free) + 1))
    system[:-1, :-1] = matrix[np.ix_(free, free)]
    system[-1, -1] = 0.0
    solution = np.linalg.solve(system, np.append(-gradient[free], 0.0))
    step[free] = solution[:-1] - solution[:-1].mean()
    return step, float(-solution[-1])


def _reach(
    weights: FloatArray, step: FloatArray, lower: FloatArray, upper: FloatArray, held: BoolArray
) -> tuple[float, int | None]:
    """How much of a step is possible, at most 1, and the weight that blocks the rest."""
    limit = np.where(step > 0, upper, lower)
    moving = ~held & (np.abs(step) > 1e-16)
    ratios = np.where(moving, (limit - weights) / np.where(moving, step, 1.0), np.inf)
    blocking = int(ratios.argmin())
    if ratios[blocking] >= 1:
        return 1.0, None
    return max(float(ratios[blocking]), 0.0), blocking
