"""The probability simplex and its capped form: check, normalise, project, fill.

The capped simplex is C(l, u) = {x : l <= x <= u, sum(x) = 1}, with 0 <= l <= u <= 1.
"""

import numpy as np
import numpy.typing as npt

from mixlaws.arrays import FloatArray
from mixlaws.errors import InfeasibleError, InvalidInputError, WeightsError

API_TOLERANCE = 1e-6  # deviation of a sum from 1 that rounding to float32 can cause
FILE_TOLERANCE = 1e-2  # published tables are rounded to three decimals
_NEWTON_STEPS = 8  # more cost as much as sorting
_SETTLED = 1e-14  # of a sum, rounding of hundreds of domains included


def as_weights(values: npt.ArrayLike, /, *, tolerance: float = API_TOLERANCE) -> FloatArray:
    """Check weights and make their sum 1 to rounding.

    Args:
        values: (d,) or (n, d) weights.
        tolerance: how far a sum may be from 1.

    Returns:
        A new array of the same shape whose last axis sums to 1; -0.0 becomes 0.0.

    Raises:
        WeightsError: a weight is negative or not finite, or a sum is off by more than the tolerance.
    """
    weights = np.array(values, dtype=np.float64)
    if weights.ndim not in {1, 2} or weights.shape[-1] == 0:
        raise WeightsError(f"weights have shape {weights.shape}: expected (d,) or (n, d)")
    if not np.all(np.isfinite(weights)):
        raise WeightsError("a weight is NaN or infinite: weights must be finite")
    if weights.size and weights.min() < 0:
        raise WeightsError(f"a weight is {weights.min():g}: weights must not be negative")
    sums = weights.sum(axis=-1, keepdims=True)
    worst = float(np.abs(sums - 1).max(initial=0))
    if worst > tolerance:
        off = sums.reshape(-1)[int(np.abs(sums - 1).argmax())]
        raise WeightsError(f"weights sum to {off:.6g}, off by more than {tolerance:g}: they must sum to 1")
    return np.asarray(weights / sums + 0.0)


def normalise(values: npt.ArrayLike, /) -> FloatArray:
    """Divide non-negative values by their sum along the last axis.

    Raises:
        WeightsError: a value is negative or not finite, or a whole row is zero.
    """
    array = np.array(values, dtype=np.float64)
    if not np.all(np.isfinite(array)) or (array.size and array.min() < 0):
        raise WeightsError("values must be finite and not negative to be shares")
    sums = array.sum(axis=-1, keepdims=True)
    if np.any(sums <= 0):
        raise WeightsError("all values are zero: at least one must be positive")
    return np.asarray(array / sums)


def tempered(weights: FloatArray, /, *, exponent: float) -> FloatArray:
    """Raise weights to a power and renormalise: 1 keeps them, 0 makes them uniform."""
    return normalise(np.power(weights, exponent))


def check_bounds(lower: FloatArray, upper: FloatArray, /) -> None:
    """Check that the capped simplex C(lower, upper) is not empty.

    Raises:
        InvalidInputError: a bound is outside [0, 1] or a lower bound exceeds the upper one.
        InfeasibleError: the lower bounds sum to more than 1, or the upper ones to less.
    """
    if lower.shape != upper.shape or lower.ndim != 1:
        raise InvalidInputError(f"bounds have shapes {lower.shape} and {upper.shape}: expected (d,) twice")
    if not (lower.min() >= 0 and upper.max() <= 1 and (lower <= upper).all()):
        if not (np.all(np.isfinite(lower)) and np.all(np.isfinite(upper))):
            raise InvalidInputError("a bound is NaN or infinite")
        raise InvalidInputError("bounds must satisfy 0 <= lower <= upper <= 1 for every domain")
    if lower.sum() > 1 + 1e-12:
        raise InfeasibleError(f"the lower bounds sum to {lower.sum():.6g} > 1: lower some of them")
    if upper.sum() < 1 - 1e-12:
        raise InfeasibleError(
            f"the upper bounds and caps sum to {upper.sum():.6g} < 1: "
            "raise bounds, allow more epochs, or shorten the final run"
        )


def project(points: npt.ArrayLike, /, lower: FloatArray, upper: FloatArray) -> FloatArray:
    """Project points onto the capped simplex, exactly, in the Euclidean norm.

    The projection is clip(x - tau, l, u) with tau solving sum(clip(x - tau, l, u)) = 1. That sum is
    piecewise linear and decreasing in tau, with breakpoints x - u and x - l; sorting them finds the
    piece that holds the solution, which is then a division (Wang & Lu 2015, arXiv:1503.01002).

    Args:
        points: (d,) or (n, d) finite values; beyond 1e9 in size their own rounding shows in the sums.
        lower: (d,) lower bounds.
        upper: (d,) upper bounds.

    Returns:
        Array of the same shape, within the bounds, each row summing to 1 to rounding.

    Raises:
        InfeasibleError: the bounds admit no mixture.
    """
    check_bounds(lower, upper)
    x = np.asarray(points, dtype=np.float64)
    if not np.all(np.isfinite(x)):
        raise InvalidInputError("a point to project holds NaN or infinity")
    rows = np.atleast_2d(x)
    breaks = np.concatenate([rows - upper, rows - lower], axis=1)
    order = np.argsort(breaks, axis=1)
    breaks = np.take_along_axis(breaks, order, axis=1)
    # Past x - u an entry moves with tau, past x - l it rests: the slope of the sum is minus their number.
    moving = np.cumsum(np.where(order < rows.shape[1], 1.0, -1.0), axis=1)
    falls = moving[:, :-1] * np.diff(breaks, axis=1)
    sums = upper.sum() - np.concatenate([np.zeros((len(rows), 1)), np.cumsum(falls, axis=1)], axis=1)
    # The sums fall from sum(u) >= 1 to sum(l) <= 1: the last break still at or above 1 starts the piece.
    start = np.maximum((sums >= 1).sum(axis=1) - 1, 0)
    take = np.arange(len(rows))
    slope = np.maximum(moving[take, start], 1.0)
    tau = breaks[take, start] + np.maximum(sums[take, start] - 1, 0.0) / slope
    projected = np.clip(rows - tau[:, None], lower, upper)
    return _spread_rounding(projected, lower, upper).reshape(x.shape)


def fill(shares: FloatArray, /, lower: FloatArray, upper: FloatArray) -> FloatArray:
    """Scale positive shares into the capped simplex, keeping their ratios wherever no bound holds.

    This is the projection in Kullback-Leibler divergence: x = clip(s * shares, l, u) with sum(x) = 1.
    A capped domain keeps its cap and its excess goes to the others in proportion (water-filling).

    Args:
        shares: (d,) non-negative values, positive where the upper bound is.
        lower: (d,) lower bounds.
        upper: (d,) upper bounds.

    Raises:
        InfeasibleError: the bounds admit no mixture, or too few domains have a positive share.
    """
    check_bounds(lower, upper)
    positive = shares > 0
    reach = float(np.where(positive, upper, lower).sum())
    if reach < 1 - 1e-12:
        raise InfeasibleError(f"domains with a positive share can hold only {reach:.6g}: give others a share")
    kept = np.where(positive, shares, 0.0)
    filled = _filled_by_newton(kept, lower, upper)
    if filled is not None:
        return filled
    filled = _clipped(_scale_by_breaks(kept, lower, upper) * kept, lower, upper)
    return np.asarray(_spread_rounding(filled[None, :], lower, upper)[0])


def _filled_by_newton(shares: FloatArray, lower: FloatArray, upper: FloatArray) -> FloatArray | None:
    """(d,) clip(s * shares, l, u) with sum 1, by Newton's method in s; None where it does not settle.

    The sum is piecewise linear, so that the method ends on the right piece, mostly after two steps. Where
    bounds of both kinds hold it may wander.
    """
    scale = 1 / shares.sum()
    for _ in range(_NEWTON_STEPS):
        filled = _clipped(scale * shares, lower, upper)
        excess = filled.sum() - 1
        if abs(excess) <= _SETTLED:
            return filled
        slope = shares[(filled > lower) & (filled < upper)].sum()
        if not slope > 0:
            return None
        scale -= excess / slope
    return None


def _scale_by_breaks(shares: FloatArray, lower: FloatArray, upper: FloatArray) -> float:
    """The s at which clip(s * shares, l, u) sums to 1, on the piece that sorted breakpoints find."""
    positive = shares > 0
    breaks = np.sort(np.concatenate([bound[positive] / shares[positive] for bound in (lower, upper)]))
    sums = _clipped(breaks[:, None] * shares, lower, upper).sum(axis=1)
    at = int(np.searchsorted(sums, 1.0))
    if at in {0, len(breaks)}:
        return float(breaks[min(at, len(breaks) - 1)])
    rise = sums[at] - sums[at - 1]
    part = (1 - sums[at - 1]) / rise if rise > 0 else 0.0
    return float(breaks[at - 1] + (breaks[at] - breaks[at - 1]) * part)


def _spread_rounding(rows: FloatArray, lower: FloatArray, upper: FloatArray) -> FloatArray:
    """Give the last bits that a sum misses to the entry with the most room, so that no bound breaks."""
    result = rows.copy()
    take = np.arange(len(rows))
    roomiest = np.minimum(rows - lower, upper - rows).argmax(axis=1)
    result[take, roomiest] += 1.0 - rows.sum(axis=1)
    return _clipped(result, lower, upper)


def _clipped(values: FloatArray, lower: FloatArray, upper: FloatArray) -> FloatArray:
    """What `np.clip` gives, in half its time where arrays are short."""
    return np.asarray(np.minimum(np.maximum(values, lower), upper))
