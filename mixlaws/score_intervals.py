"""How sure held-out scores are: their intervals, by drawing mixtures anew.

Runs of one mixture are drawn together, since they share what a fit gets wrong. An interval holds the middle
95 % of the scores of such draws (the percentile bootstrap, Efron 1979). It tells of the runs that were held
out by chance, and not of another seed of the fit.
"""

from typing import NamedTuple

import numpy as np
from scipy.stats import rankdata

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
    members = np.split(np.argsort(mixtures, kind="stable"), np.cumsum(np.bincount(mixtures))[:-1])
    error = np.abs(predicted - measured)
    ranks, errors = [], []
    for _ in range(max(min(_DRAWS, _MOST_NUMBERS // len(measured)), _LEAST_DRAWS)):
        drawn = np.concatenate([members[number] for number in rng.integers(count, size=count)])
        errors.append(float(error[drawn].mean()))
        rank = _correlation(rankdata(measured[drawn]), rankdata(predicted[drawn]))
        if np.isfinite(rank):  # a draw of one mixture alone has no ranks
            ranks.append(rank)
    if not ranks:
        return None
    return ScoreIntervals(_middle(ranks), _middle(errors))


def _correlation(left: FloatArray, right: FloatArray) -> float:
    a, b = left - left.mean(), right - right.mean()
    size = float(np.sqrt((a**2).sum() * (b**2).sum()))
    return float((a * b).sum()) / size if size > 0 else float("nan")


def _middle(scores: list[float]) -> tuple[float, float]:
    low, high = np.quantile(scores, _MIDDLE)
    return float(low), float(high)
