"""What a fit says that one domain does: its share goes up and down, the others keep their proportions.

    w(s) = s e_j + (1 - s) w0_(-j) / (1 - w0_j)

with w0 a base mixture without domain j in the second term. Along this line a mixture stays a mixture, and no
other domain is played off against the rest.
"""

from collections.abc import Collection
from dataclasses import dataclass

import numpy as np

from mixlaws.arrays import FloatArray, frozen
from mixlaws.estimator import Predictor, ProbabilisticPredictor
from mixlaws.intervals import CALIBRATED_LEVEL, deviations_either_side

_POINTS = 33
_WHOLE = 1 - 1e-9  # a base of one domain alone: the others have no proportions


@dataclass(frozen=True, eq=False)
class Response:
    """The objective along one domain's share.

    Args:
        shares: (k,) shares of the domain, over the range that runs span.
        objective: (k,) predicted objective, nats per token.
        interval: (2, k) 80 % interval of it, targets erring by themselves; None where the predictor knows
            no deviation.
    """

    shares: FloatArray
    objective: FloatArray
    interval: FloatArray | None


def along(base: FloatArray, domain: int, shares: FloatArray, /) -> FloatArray:
    """(k, d) mixtures with (k,) shares of a domain, the others in the proportions of a (d,) base."""
    others = base.copy()
    others[domain] = 0.0
    line = (1 - shares)[:, None] * (others / others.sum())
    line[:, domain] = shares
    return np.asarray(line)


def responses(
    predictor: Predictor,
    weights: FloatArray,
    base: FloatArray,
    coefficients: FloatArray,
    /,
    *,
    domains: Collection[int] | None = None,
) -> list[Response | None]:
    """The response to every domain, within the range of shares that runs span.

    Args:
        predictor: the fit.
        weights: (n, d) mixtures that were run.
        base: (d,) mixture that lines go through.
        coefficients: (t,) of the objective.
        domains: those that are wanted; None for all.

    Returns:
        One for each domain; None where it is not wanted, where its share never varied, or where the base
        has no other domain.
    """
    low, high = weights.min(axis=0), weights.max(axis=0)
    wanted = range(len(base)) if domains is None else domains
    found: list[Response | None] = [None] * len(base)
    for domain in wanted:
        if not high[domain] > low[domain] or base[domain] > _WHOLE:
            continue
        shares = np.linspace(low[domain], high[domain], _POINTS)
        line = along(base, domain, shares)
        objective = predictor.predict(line) @ coefficients
        interval = None
        if isinstance(predictor, ProbabilisticPredictor):
            spread = np.sqrt(predictor.deviation(line) ** 2 @ coefficients**2)
            half = deviations_either_side(CALIBRATED_LEVEL) * spread
            interval = frozen(np.stack([objective - half, objective + half]))
        found[domain] = Response(frozen(shares), frozen(objective), interval)
    return found


def effects(predictor: Predictor, weights: FloatArray, base: FloatArray, /) -> FloatArray:
    """What each domain does to each target: the change from the lower to the upper quartile of its shares.

    Quartiles and not the ends: near a share of zero losses rise steeply, and the whole table would tell of
    nothing else.

    Args:
        predictor: the fit.
        weights: (n, d) mixtures that were run.
        base: (d,) mixture that lines go through.

    Returns:
        (d, t) changes, in the unit of the targets; NaN where the base has no other domain.
    """
    quartiles = np.quantile(weights, [0.25, 0.75], axis=0)
    known = np.flatnonzero(base <= _WHOLE)
    rows = [base[None, :], *(along(base, int(domain), quartiles[:, domain]) for domain in known)]
    predicted = predictor.predict(np.concatenate(rows))
    changes = np.full((len(base), predicted.shape[1]), np.nan)
    changes[known] = predicted[2::2] - predicted[1::2]
    return changes
