"""How sure held-out scores are: their intervals, by drawing mixtures anew.

Runs of one mixture are drawn together, since they share what a fit gets wrong. An interval holds the middle
95 % of the scores of such draws (the percentile bootstrap, Efron 1979). It tells of the runs that were held
out by chance, and not of another seed of the fit.
"""

from typing import NamedTuple

import numpy as np

from mixlaws.arrays import FloatArray, IntArray

_DRAWS = 400
_MOST_NUMBERS = 1_000_000  # drawn at all: of many runs fewer draws do, whose scores hardly differ
_LEAST_DRAWS = 100
_MIDDLE = (0.025, 0.975)
FEWEST_MIXTURES = 6  # of fewer, draws are too alike to tell anything


class ScoreIntervals(NamedTuple):
    """95 % intervals of held-out scores, each a low and a high end.

    spearman: of the rank correlation.
    mae: of the mean absolute error, in the unit of the target.
    """

    spearman: tuple[float, float]
    mae: tuple[float, float]


def score_intervals(
    measured: FloatArray, predicted: FloatArray, mixtures: IntArray, *, rng: np.random.Generator
) -> ScoreIntervals | None:
    """Intervals of the scores of (n,) held-out predictions.

    Args:
        measured: (n,) values.
        predicted: (n,) predictions by fits that did not see the run.
        mixtures: (n,) number of the mixture of each run.
        rng: draws mixtures.

    Returns:
        The intervals; None where there are too few mixtures, or nothing varies.
    """
    count = int(mixtures.max()) + 1
    if count < FEWEST_MIXTURES or not (np.ptp(measured) > 0 and np.ptp(predicted) > 0):
        return None
    error = np.abs(predicted - measured)
    measured_ranks, predicted_ranks = _Ranks(measured), _Ranks(predicted)
    ranks, errors = [], []
    for _ in range(max(min(_DRAWS, _MOST_NUMBERS // len(measured)), _LEAST_DRAWS)):
        times = np.bincount(rng.integers(count, size=count), minlength=count)[mixtures].astype(np.float64)
        errors.append(float(times @ error / times.sum()))
        rank = _correlation(measured_ranks.of(times), predicted_ranks.of(times), times)
        if np.isfinite(rank):  # a draw of one mixture alone has no ranks
            ranks.append(rank)
    if not ranks:
        return None
    return ScoreIntervals(_middle(ranks), _middle(errors))


class _Ranks:
    """Mean ranks of (n,) values in any draw of them: they are sorted once for all draws."""

    def __init__(self, values: FloatArray) -> None:
        different, self._place = np.unique(values, return_inverse=True)
        self._count = len(different)

    def of(self, times: FloatArray) -> FloatArray:
        """(n,) ranks, where value i is held times_i times: times of smaller + (times of equal + 1) / 2."""
        held = np.bincount(self._place, weights=times, minlength=self._count)
        return np.asarray((np.cumsum(held) - (held - 1) / 2)[self._place])


def _correlation(left: FloatArray, right: FloatArray, times: FloatArray) -> float:
    """Pearson's correlation of two (n,) columns whose row i is held times_i times."""
    a, b = left - times @ left / times.sum(), right - times @ right / times.sum()
    size = float(np.sqrt((times @ a**2) * (times @ b**2)))
    return float(times @ (a * b)) / size if size > 0 else float("nan")


def _middle(scores: list[float]) -> tuple[float, float]:
    low, high = np.quantile(scores, _MIDDLE)
    return float(low), float(high)
