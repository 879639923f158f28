"""What a fit says that one domain does: its share goes up and down, the others keep their proportions.

    w(s) = s e_j + (1 - s) w0_(-j) / (1 - w0_j)

with w0 a base mixture without domain j in the second term. Along this line a mixture stays a mixture, and no
other domain is played off against the rest.
"""

from dataclasses import dataclass

import numpy as np

from mixlaws.arrays import FloatArray, frozen
from mixlaws.estimator import Predictor, ProbabilisticPredictor

_POINTS = 33
_DRAWS = 256
_EIGHTY_PERCENT = (0.1, 0.9)
_WHOLE = 1 - 1e-9  # a base of one domain alone: the others have no proportions


@dataclass(frozen=True, eq=False)
class Response:
    """The objective along one domain's share.

    Args:
        shares: (k,) shares of the domain, over the range that runs span.
        objective: (k,) predicted objective, nats per token.
        interval: (2, k) 80 % interval of it, by joint draws; None where the predictor draws nothing.
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
    rng: np.random.Generator,
) -> list[Response | None]:
    """The response to every domain, within the range of shares that runs span.

    Args:
        predictor: the fit.
        weights: (n, d) mixtures that were run.
        base: (d,) mixture that lines go through.
        coefficients: (t,) of the objective.
        rng: makes the draws.

    Returns:
        One for each domain; None where its share never varied, or where the base has no other domain.
    """
    found: list[Response | None] = []
    for domain, child in enumerate(rng.spawn(len(base))):
        low, high = float(weights[:, domain].min()), float(weights[:, domain].max())
        if not high > low or base[domain] > _WHOLE:
            found.append(None)
            continue
        shares = np.linspace(low, high, _POINTS)
        line = along(base, domain, shares)
        interval = None
        if isinstance(predictor, ProbabilisticPredictor):
            draws = predictor.sample(line, count=_DRAWS, rng=child) @ coefficients
            interval = frozen(np.quantile(draws, _EIGHTY_PERCENT, axis=0))
        found.append(Response(frozen(shares), frozen(predictor.predict(line) @ coefficients), interval))
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
    t = predictor.predict(base[None, :]).shape[1]
    changes = np.full((len(base), t), np.nan)
    for domain in np.flatnonzero(base <= _WHOLE):
        lower, upper = predictor.predict(along(base, int(domain), quartiles[:, domain]))
        changes[domain] = upper - lower
    return changes
