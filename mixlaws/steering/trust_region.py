"""How far a mixture may move in one update: by divergence and by the ratio of any weight.

The new mixture lies on the segment x(s) = anchor + s (weights - anchor), at the largest s <= 1 with

    sum_i x_i ln(x_i / b_i) <= kl                   b_i = max(anchor_i, m)
    1 / ratio <= max(x_i, m) / b_i <= ratio         for every i

where m = .001. Shares below m count as m: measured against a share of 0 every return is infinitely far.
Both sets are convex and hold the anchor, so that there is one such point.
"""

from math import sqrt

import numpy as np

from mixlaws.arrays import FloatArray

COUNTED = 1e-3  # m: a domain with a smaller share is drawn too rarely for its changes to shock a model
_LEAST = 1e-300  # what a logarithm is taken of at least
_SLACK = 1e-6  # how far below the limit of the divergence the search may end, as a part of it
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
    base, change = np.maximum(anchor, COUNTED), weights - anchor
    reach = 1.0 if ratio is None else _reach_by_ratio(weights, anchor, base, ratio)
    if kl is not None:
        reach = _reach_by_divergence(anchor, change, base, kl, reach)
    return weights if reach >= 1 else np.asarray(anchor + reach * change)


def _reach_by_ratio(weights: FloatArray, anchor: FloatArray, base: FloatArray, ratio: float) -> float:
    """The largest s by the ratios: each weight that ends beyond its limit meets it at a point of its own."""
    factors = np.maximum(weights, COUNTED) / base
    if factors.max() <= ratio and factors.min() >= 1 / ratio:
        return 1.0
    limits = np.where(factors > 1, base * ratio, base / ratio)
    beyond = (factors > ratio) | (factors < 1 / ratio)
    return float(((limits - anchor)[beyond] / (weights - anchor)[beyond]).min())


def _reach_by_divergence(
    anchor: FloatArray, change: FloatArray, base: FloatArray, kl: float, most: float
) -> float:
    """The largest s by the divergence, at most `most`: Newton's method within a bracket.

    The divergence is convex in s and at most 0 at the anchor, so that it crosses the limit once. It grows
    about as the square of s, which gives the first guess.
    """

    def divergence(at: float) -> tuple[float, float]:
        """Its value and its slope, in which the changes sum to 0."""
        point = anchor + at * change
        logs = np.log(np.maximum(point, _LEAST) / base)
        return float(point @ logs), float(change @ logs)

    value, _ = divergence(most)
    if value <= kl:
        return most
    low, high, at = 0.0, most, most * sqrt(kl / value)
    for _ in range(_MOST_ITERATIONS):
        value, slope = divergence(at)
        low, high = (low, at) if value > kl else (at, high)
        if kl * (1 - _SLACK) <= value <= kl:
            break
        newton = at - (value - kl * (1 - _SLACK / 2)) / slope if slope > 0 else low
        at = newton if low < newton < high else (low + high) / 2
    return low
