"""The loss curves of ADO: one power law with a floor for each domain, over the samples that were drawn.

    log L_i(n) = log(exp(e_i) + exp(b_i) n^(-a_i)),    b_i <= 6.5,  e_i >= 0.5,  0.001 <= a_i <= 0.8

minimising the Huber loss (threshold 1e-3) of that logarithm. By default n counts the samples of all domains,
the same for each, so that what one domain learns from the others is part of its curve.

The published fit takes 512 starts of L-BFGS for each domain. Here the exponent runs over a grid, on which
exp(b) and exp(e) are linear and known in closed form; these are the starts of a batch of robust fits to a
thinned curve, and the best one for each domain is then fitted to all of it. The published penalties on
leaving the bounds have slope 1 against a loss that is nearly flat; here they are bounds.

Source: Jiang et al. 2024, arXiv:2410.11820, and the released code: bounds, threshold, smoothing.
"""

from dataclasses import dataclass

import numpy as np

from mixlaws.arrays import BoolArray, FloatArray, IntArray
from mixlaws.errors import FitError
from mixlaws.least_squares import Batch, Model, minimise

HUBER_DELTA = 1e-3
MOST_LOG_HEIGHT, LEAST_LOG_FLOOR = 6.5, 0.5
LEAST_EXPONENT, MOST_EXPONENT = 0.001, 0.8
_GRID = np.array([0.02, 0.05, 0.1, 0.15, 0.2, 0.3, 0.4, 0.5, 0.65, 0.8])
_THINNED = 150  # points of a curve, evenly over its samples, that starts are compared on
_ROUGH, _FINE = 1e-4, 1e-8  # relative falls of the objective under which starts, and final fits, are done
_LEAST_POINTS = 4  # of a curve of three parameters


@dataclass(frozen=True, eq=False)
class _Points:
    """Points of g curves: logarithms of samples and of losses, (g, s) each, and which of them there are."""

    samples: FloatArray
    losses: FloatArray
    present: FloatArray

    def rows(self, chosen: IntArray) -> "_Points":
        return _Points(self.samples[chosen], self.losses[chosen], self.present[chosen])

    def columns(self, chosen: IntArray) -> "_Points":
        return _Points(self.samples[:, chosen], self.losses[:, chosen], self.present[:, chosen])


def fit_curves(samples: FloatArray, losses: FloatArray, mask: BoolArray, /) -> FloatArray:
    """Fit all curves.

    Args:
        samples: (s, d) n of each point, positive where the mask holds.
        losses: (s, d) smoothed losses, nats per token, positive where the mask holds.
        mask: (s, d) which points there are.

    Returns:
        (d, 3) b, e, a of each domain.

    Raises:
        FitError: a domain has fewer than 4 points.
    """
    fewest = int(mask.sum(axis=0).min())
    if fewest < _LEAST_POINTS:
        raise FitError(f"a loss curve has {fewest} points and needs {_LEAST_POINTS}: wait for more reports")
    present = mask.T
    log_samples, log_losses = (np.log(np.where(present, values.T, 1.0)) for values in (samples, losses))
    points = _Points(log_samples, log_losses, present.astype(np.float64))
    thin = np.unique(np.linspace(0, len(samples) - 1, _THINNED).astype(np.int64))
    return _fitted(points, _from_grid(points.columns(thin)), _FINE)[0]


def _from_grid(points: _Points) -> FloatArray:
    """(d, 3) the best of the robust fits that start from every exponent of the grid."""
    d, starts = len(points.losses), len(_GRID)
    repeated = points.rows(np.repeat(np.arange(d), starts))
    theta, objective = _fitted(repeated, _linear_start(repeated, np.tile(_GRID, d)), _ROUGH)
    best = objective.reshape(d, starts).argmin(axis=1)
    return np.asarray(theta.reshape(d, starts, 3)[np.arange(d), best])


def _linear_start(points: _Points, exponents: FloatArray) -> FloatArray:
    """(g, 3) floor and height of least squares relative to the loss, for given (g,) exponents."""
    power, losses = np.exp(-exponents[:, None] * points.samples), np.exp(points.losses)
    emphasis = points.present / losses**2
    total = emphasis.sum(axis=1)
    mean_power, mean_loss = (emphasis * power).sum(axis=1) / total, (emphasis * losses).sum(axis=1) / total
    centred = power - mean_power[:, None]
    spread = np.maximum((emphasis * centred**2).sum(axis=1), 1e-300)
    height = np.clip((emphasis * centred * losses).sum(axis=1) / spread, 1e-3, np.exp(MOST_LOG_HEIGHT))
    floor = np.maximum(mean_loss - height * mean_power, np.exp(LEAST_LOG_FLOOR))
    return np.stack([np.log(height), np.log(floor), exponents], axis=1)


def _fitted(points: _Points, start: FloatArray, tolerance: float) -> tuple[FloatArray, FloatArray]:
    """(g, 3) parameters within their bounds, and (g,) objectives."""
    theta, objective = _minimised(points, start, tolerance)
    beyond = np.flatnonzero(theta[:, 2] > MOST_EXPONENT)
    if len(beyond):
        at_most = theta[beyond]
        at_most[:, 2] = MOST_EXPONENT
        theta[beyond], objective[beyond] = _minimised(points.rows(beyond), at_most, tolerance, held=True)
    return theta, objective


def _minimised(
    points: _Points, start: FloatArray, tolerance: float, *, held: bool = False
) -> tuple[FloatArray, FloatArray]:
    """The same with the exponent free above its least value, or held where it starts."""
    g = len(start)
    # Fits leave the batch as they finish; the last column tells the model whose parameters it is given.
    whose = np.arange(g, dtype=np.float64)
    room = np.column_stack([MOST_LOG_HEIGHT - start[:, 0], start[:, 1], start[:, 2], whose])
    batch = Batch(
        y=points.losses,
        mask=points.present,
        scale=np.ones(g),
        delta=HUBER_DELTA,
        ridge=np.zeros(g),
        penalty=np.zeros((4, 4)),
        lower=np.array([0.0, LEAST_LOG_FLOOR, LEAST_EXPONENT, 0.0]),
    )
    theta, objective = minimise(_curve_model(points.samples, held=held), room, batch, tolerance=tolerance)
    return np.column_stack([MOST_LOG_HEIGHT - theta[:, 0], theta[:, 1], theta[:, 2]]), objective


def _curve_model(samples: FloatArray, *, held: bool) -> Model:
    def model(theta: FloatArray) -> tuple[FloatArray, FloatArray]:
        n = samples[np.rint(theta[:, 3]).astype(np.int64)]
        height = MOST_LOG_HEIGHT - theta[:, :1] - theta[:, 2:3] * n
        values = np.logaddexp(height, theta[:, 1:2])
        share = np.exp(height - values)  # of the loss that is still reducible
        by_exponent = np.zeros_like(n) if held else -share * n
        return values, np.stack([-share, 1 - share, by_exponent, np.zeros_like(n)], axis=2)

    return model
