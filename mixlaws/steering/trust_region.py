"""How far a mixture may move in one update: by divergence and by the ratio of any weight.

The new mixture lies on the segment x(s) = anchor + s (weights - anchor), at the largest s <= 1 with

    sum_i x_i ln(x_i / b_i) <= kl                   b_i = max(anchor_i, m)
    1 / ratio <= max(x_i, m) / b_i <= ratio         for every domain

where m = .001. Shares below m count as m: measured against a share of 0 every return is infinitely far.
Both sets are convex, so that whatever convex limits hold at both ends hold on the segment.
"""

from math import sqrt

import numpy as np

from mixlaws.arrays import FloatArray

COUNTED = 1e-3  # m: a domain with a smaller share is drawn too rarely for its changes to shock a model
_SLACK = 1e-9  # how far below the limit of the divergence the search may end, as a part of it
_MOST_ITERATIONS = 100  # bisection alone would need half of them


def held_back(
    weights: FloatArray, /, anchor: FloatArray, *, kl: float | None, ratio: float | None
) -> FloatArray:
    """(d,) the point on the segment; the weights themselves if they are within both limits.

    Args:
        weights: (d,) where to, on the simplex.
        anchor: (d,) where from, on the simplex, 0 wherever the weights are.
        kl: largest divergence, nats; None for any.
        ratio: largest factor, > 1; None for any.
    """
    base = np.maximum(anchor, COUNTED)
    reach = 1.0 if ratio is None else _reach_by_ratio(weights, anchor, base, ratio)
    if kl is not None:
        seen = weights > 0
        reach = _reach_by_divergence(anchor[seen], (weights - anchor)[seen], base[seen], kl, reach)
    return weights if reach >= 1 else np.asarray(anchor + reach * (weights - anchor))


def _reach_by_ratio(weights: FloatArray, anchor: FloatArray, base: FloatArray, ratio: float) -> float:
    """The largest s by the ratios: each weight meets its limit at a point of its own."""
    lowest = base / ratio
    # What may fall below m may fall to any share.
    limits = np.where(weights > anchor, base * ratio, np.where(lowest > COUNTED, lowest, 0.0))
    change = weights - anchor
    beyond = np.abs(change) > np.abs(limits - anchor)
    return float(((limits - anchor)[beyond] / change[beyond]).min(initial=1.0))


def _reach_by_divergence(
    anchor: FloatArray, change: FloatArray, base: FloatArray, kl: float, most: float
) -> float:
    """The largest s by the divergence, at most `most`: Newton's method within a bracket.

    The divergence is convex in s and at most 0 at the anchor, so that it crosses the limit once.
    """

    def excess(at: float) -> tuple[float, float]:
        """How far the divergence is above the limit, and its slope, since the changes sum to 0."""
        point = anchor + at * change
        logs = np.log(point / base)
        return float(point @ logs) - kl, float(change @ logs)

    above, _ = excess(most)
    if above <= 0:
        return most
    low, high = 0.0, most
    at = most * sqrt(kl / (above + kl))  # near the anchor the divergence grows with the square of s
    for _ in range(_MOST_ITERATIONS):
        above, slope = excess(at)
        low, high = (at, high) if above <= 0 else (low, at)
        if -_SLACK * kl <= above <= 0:
            break
        newton = at - (above + _SLACK / 2 * kl) / slope if slope > 0 else low
        at = newton if low < newton < high else (low + high) / 2
    return low
