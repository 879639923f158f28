"""What units take at a level: the responses whose tree search gives projections and cheapest vertices.

With shares x, level y, prior q and bounds l, u, and clip(., l, u) around each:

    nearest in KL to s       s exp(y)                                  minimises x log(x / s) - x
    ... at a price p of L1   median(s exp(y - p), q, s exp(y + p))     ... + p |x - q|
    nearest to a point a     (a + y) / c                               minimises c x^2 / 2 - a x
    cheapest for slopes g    u where y > g, else l                     minimises g x
    ... at a price p of L1   l below g - p, u above g + p, else q      ... + p |x - q|
"""

from dataclasses import dataclass

import numpy as np

from mixlaws.arrays import FloatArray
from mixlaws.feasible.tree import Tree
from mixlaws.simplex import fill

_TINY = 1e-300
_NOTHING = np.log(1e-18)  # a share that is far below rounding
# How far levels are narrowed: x exp(y) is straight over so short a way, kinks and steps are not.
_STRAIGHT, _KINKED = 3e-8, 1e-11
_SMALLEST = -600.0  # logarithms whose exponentials a double holds
_LARGEST = 50.0  # exponents beyond it are shares that every bound holds back


@dataclass(frozen=True, eq=False)
class Boxed:
    """A tree of units with their bounds (m,) and their prior (m,)."""

    tree: Tree
    lower: FloatArray
    upper: FloatArray
    prior: FloatArray

    def nearest_in_kl(self, logs: FloatArray, price: float = 0.0) -> FloatArray:
        """(m,) projection of exp(logs) in KL, at a price of L1."""
        logs = logs - logs.max()
        if not price and len(self.tree.parent) == 1 and logs.min() > _SMALLEST:
            return fill(np.exp(logs), self.lower, self.upper)
        held = self.lower > 0
        low = min(float((np.log(self.lower[held]) - logs[held]).min(initial=0.0)), float(_NOTHING))
        high = float((np.log(np.maximum(self.upper, _TINY)) - logs).max(initial=0.0))

        def shares(powers: FloatArray) -> FloatArray:
            return np.asarray(np.exp(np.minimum(logs + powers, _LARGEST)))

        def response(levels: FloatArray) -> FloatArray:
            if not price:
                return np.asarray(np.clip(shares(levels), self.lower, self.upper))
            reached = np.maximum(shares(levels - price), np.minimum(self.prior, shares(levels + price)))
            return np.asarray(np.clip(reached, self.lower, self.upper))

        ends = np.array([low - price]), np.array([high + price])
        return np.asarray(self.tree.meet(response, *ends, _STRAIGHT)[0])

    def nearest(self, points: FloatArray, curvature: FloatArray) -> FloatArray:
        """(n, m) projections of points (n, m) in a Euclidean norm with curvatures (m,)."""

        def response(levels: FloatArray) -> FloatArray:
            return np.asarray(np.clip((points[:, None, :] + levels) / curvature, self.lower, self.upper))

        low = (self.lower * curvature - points).min(axis=1)
        high = (self.upper * curvature - points).max(axis=1)
        return self.tree.meet(response, low, high, _KINKED)

    def cheapest(self, slopes: FloatArray, price: float = 0.0) -> FloatArray:
        """(m,) shares of least cost for slopes (m,), at a price of L1."""
        resting = np.clip(self.prior, self.lower, self.upper)

        def response(levels: FloatArray) -> FloatArray:
            beyond = np.where(levels > slopes + price, self.upper, resting)
            return np.asarray(np.where(levels <= slopes - price, self.lower, beyond))

        # Well beyond the last step on either side, however equal slopes are.
        span = 1.1 * (price + float(np.ptp(slopes))) + 1e-9 * (1 + float(np.abs(slopes).max()))
        low, high = float(slopes.min()) - span, float(slopes.max()) + span
        return np.asarray(self.tree.meet(response, np.array([low]), np.array([high]), _KINKED * span)[0])
