"""From feedback of the past to the curves that ADO fits: fill gaps, smooth, and only then leave out rows."""

from dataclasses import dataclass

import numpy as np
from scipy.signal import savgol_filter

from mixlaws.arrays import BoolArray, FloatArray
from mixlaws.errors import FitError
from mixlaws.feedback import Feedback, TokenSums
from mixlaws.policy import History


@dataclass(frozen=True)
class Smoothing:
    """How curves are read from a history; the defaults are those of the released code.

    Args:
        ignore_steps: steps at the start that no curve is fitted to.
        window: rows of the Savitzky-Golay filter; less where the history is shorter.
        polynomial: order of that filter; a window that is no longer is left out.
        every: one row in so many is fitted.
    """

    ignore_steps: int
    window: int
    polynomial: int
    every: int


def drawn_samples(told: Feedback | History, tokens_per_sample: float | None, /) -> FloatArray:
    """(d,) or (r, d) samples drawn: tokens over their length, or the sequences that were reported, if any."""
    if tokens_per_sample is not None:
        return told.token_counts / tokens_per_sample
    counts = np.zeros(np.shape(told.token_counts)) if told.sequence_counts is None else told.sequence_counts
    return np.asarray(counts, dtype=np.float64)


def loss_curves(
    history: History, smoothing: Smoothing, drawn: FloatArray, *, shared: bool
) -> tuple[FloatArray, FloatArray, BoolArray]:
    """Curves to fit.

    Args:
        history: the past; a domain that a row does not have keeps its last loss, and before its first one it
            has the mean of the first row.
        smoothing: how it is smoothed. The filter runs over the whole history before rows are left out.
        drawn: (r, d) samples drawn in each row.
        shared: whether the samples of all domains count for each.

    Returns:
        (s, d) samples, (s, d) losses, (s, d) which of them are of use.

    Raises:
        FitError: no row is left.
    """
    losses = _filled(history)
    window = min(smoothing.window, len(losses) - 1 + len(losses) % 2)
    if window > smoothing.polynomial:
        losses = savgol_filter(losses, window, smoothing.polynomial, axis=0)
    own = np.cumsum(drawn, axis=0)
    total = np.broadcast_to(np.cumsum(drawn.sum(axis=1))[:, None], own.shape) if shared else own
    kept = np.flatnonzero(history.steps > smoothing.ignore_steps)[:: smoothing.every]
    if not len(kept):
        last = history.steps.max(initial=0)
        raise FitError(
            f"no report lies beyond step {smoothing.ignore_steps}, the last at {last}: wait for more"
        )
    samples, losses = total[kept], losses[kept]
    return samples, losses, (samples > 0) & (losses > 0)


def _filled(history: History) -> FloatArray:
    """(r, d) mean losses without gaps."""
    tokens = TokenSums(history.loss_sums, history.token_counts)
    rows = np.arange(len(tokens.sums))[:, None]
    newest = np.maximum.accumulate(np.where(tokens.observed, rows, -1), axis=0)
    first = np.flatnonzero(tokens.observed.any(axis=1))
    if not len(first):
        raise FitError("no domain has a loss in the whole history: nothing can be fitted")
    seen = tokens.observed[first[0]]
    mean = tokens.sums[first[0]][seen].sum() / tokens.counts[first[0]][seen].sum()
    filled = np.take_along_axis(tokens.means, np.maximum(newest, 0), axis=0)
    return np.where(newest >= 0, filled, mean)
