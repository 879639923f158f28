"""How far a mixture is from optimal: the gap of the Karush-Kuhn-Tucker conditions on the capped simplex.

    gap(w) = max_v <g, w - v>    over all feasible v,  g the gradient of the objective at w

It is zero exactly where the conditions hold, in the objective's unit, and for a convex objective it bounds
how much lower any feasible mixture can be. The gradient itself is no test: at an optimum it is not zero,
but equal over all domains that no bound holds.
"""

import numpy as np

from mixlaws.arrays import FloatArray


def kkt_gap(gradient: FloatArray, weights: FloatArray, lower: FloatArray, upper: FloatArray) -> float:
    """The gap of weights (d,) under a gradient (d,); the best v fills the cheapest domains first."""
    cheapest = lower.copy()
    left = 1.0 - float(cheapest.sum())
    for domain in np.argsort(gradient):
        poured = min(left, float(upper[domain] - lower[domain]))
        cheapest[domain] += poured
        left -= poured
    # A common constant in the gradient cancels: taking it out first keeps its rounding out.
    return float((gradient - gradient.min()) @ (weights - cheapest))
