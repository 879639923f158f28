"""What may leave a policy: domains taken out and their share spread, floors and ceilings held.

None of it fails: a job that runs must get a mixture, whatever is left of its domains.
"""

from typing import Literal, TypeAlias

import numpy as np

from mixlaws.arrays import BoolArray, FloatArray
from mixlaws.simplex import fill

Spread: TypeAlias = Literal["proportional", "prior", "equal"]

_LEAST_SHARE = 1e-12  # what a weight counts as at least where it has to be scaled up


def spread_out(weights: FloatArray, /, active: BoolArray, prior: FloatArray, spread: Spread) -> FloatArray:
    """(d,) weights with 0 for what is not active; its share goes to the rest.

    The rest gets it in proportion to its weights, to its prior, or in equal parts. Where these are all 0, the
    prior stands in for the weights, and equal parts for the prior.

    Args:
        weights: (d,) on the simplex.
        active: (d,) which domains stay, at least one.
        prior: (d,) on the simplex.
        spread: by what.
    """
    kept, share = np.where(active, weights, 0.0), weights[~active].sum()
    if share <= 0:
        return weights
    order = {"proportional": (kept, prior), "prior": (prior,), "equal": ()}[spread]
    for by in (*order, np.ones(len(weights))):
        parts = np.where(active, by, 0.0)
        if parts.sum() > 0:
            return np.asarray(kept + share * (parts / parts.sum()))
    return weights


def limited(weights: FloatArray, /, lower: FloatArray, upper: FloatArray) -> FloatArray:
    """(d,) the nearest weights by ratio with lower <= w <= upper; unchanged where they already are.

    A weight of 0 stays 0 where the others can hold everything. Upper bounds that sum to less than 1 are
    first raised by one factor until they sum to 1, or dropped if they are all 0: a mixture there must be.

    Args:
        weights: (d,) on the simplex.
        lower: (d,) sums to at most 1.
        upper: (d,) nowhere below `lower`.
    """
    if (weights >= lower).all() and (weights <= upper).all():
        return weights
    room = upper.sum()
    if room < 1:
        return np.asarray(upper / room) if room > 0 else weights
    shares = np.maximum(weights, _LEAST_SHARE)
    if weights.min() <= 0 and np.where(weights > 0, upper, lower).sum() >= 1:
        shares = np.where(weights > 0, shares, 0.0)
    return fill(shares, lower, upper)
