"""One curve for one target, fitted from several starts: for laws whose inputs differ between targets."""

import numpy as np
from scipy.optimize import nnls

from mixlaws.arrays import FloatArray
from mixlaws.errors import FitError, InvalidInputError
from mixlaws.least_squares import Batch, Model, minimise

_LEAST_GAIN = 1e-3  # of the spread of the values: a start without a slope would stay where it is


def fit_curve(
    model: Model,
    starts: FloatArray,
    y: FloatArray,
    *,
    lower: FloatArray,
    delta: float = np.inf,
    scale: float = 1.0,
    ridge: FloatArray | None = None,
) -> tuple[FloatArray, float]:
    """The best fit over all starts.

    Args:
        model: the curve on the n rows.
        starts: (s, p) starting parameters.
        y: (n,) values.
        lower: (p,) lower bounds.
        delta: Huber threshold in units of `scale`; infinity gives least squares.
        scale: unit of the residuals.
        ridge: (p,) strength of the pull of each parameter to zero; none unless given.

    Returns:
        (p,) parameters, and their objective.

    Raises:
        FitError: no start led to finite parameters.
    """
    count, p = starts.shape
    batch = Batch(
        y=np.tile(y, (count, 1)),
        mask=np.ones((count, len(y))),
        scale=np.full(count, scale),
        delta=delta,
        ridge=np.ones(count),
        penalty=np.diag(np.zeros(p) if ridge is None else ridge),
        lower=lower,
    )
    theta, objective = minimise(model, starts, batch)
    best = int(objective.argmin())
    if not np.isfinite(objective[best]) or not np.all(np.isfinite(theta[best])):
        raise FitError("no start led to a finite curve: check the targets for outliers")
    return theta[best], float(objective[best])


def gain_and_floor(response: FloatArray, y: FloatArray) -> tuple[float, float]:
    """The best g > 0 and E >= 0 of `y = g response + E`, for a start whose logarithm of g is finite.

    Args:
        response: (n,) positive values of the curve's varying part.
        y: (n,) values.
    """
    (gain, floor), _ = nnls(np.column_stack([response, np.ones_like(y)]), y)
    least = _LEAST_GAIN * max(float(y.std()), 1e-9) / float(response.mean())
    return max(float(gain), least), float(floor)


def check_scale(name: str, value: float) -> float:
    """A positive finite scale.

    Raises:
        InvalidInputError: it is not.
    """
    if not (np.isfinite(value) and value > 0):
        raise InvalidInputError(f"{name} is {value:g}: use a finite value > 0")
    return float(value)


def alike(column: FloatArray) -> bool:
    """Whether all runs have the same scale, to rounding."""
    return bool(np.ptp(column) <= 1e-9 * np.abs(column).max())
