"""Which model size of the proxy runs tells most of the largest one, for the compute that it takes.

    information of a run = -1/2 log(1 - rho^2)  nats,    compute of a run = 6 N D  FLOPs

with rho the rank correlation of a size with the largest size over the mixtures that both were run on: what a
normal measurement of that correlation tells of the large run's objective. It is a first account and no more:
a hundred runs of a size never rank better than the size itself does, and with few common mixtures rho is
hardly known, which is why sizes are compared by the low end of its interval.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from mixlaws.arrays import FloatArray
from mixlaws.swarm import Swarm
from mixlaws.validation import spearman

_LEAST = 5  # common mixtures: the interval of a rank correlation of four reaches from -1 to 1
_SURE = 1.2816  # 80 % of a normal distribution are within so many deviations
_HIGHEST = 0.999  # ranks that agree wholly on a few mixtures do not agree on all


@dataclass(frozen=True)
class ProxySize:
    """What the runs of one model size say.

    Args:
        model_parameters: N.
        runs: of that size.
        common: mixtures that the largest size was run on too.
        agreement: rank correlation of the objective with the largest size; None for that size, and where
            fewer than five mixtures are common or a size does not vary.
        interval: 80 % interval of it, by Fisher's transformation.
        flops: 6 N D of a run; None where tokens are unknown.
        information: nats per 1e18 FLOPs, at the low end of the interval; None where it is unknown.
    """

    model_parameters: float
    runs: int
    common: int
    agreement: float | None
    interval: tuple[float, float] | None
    flops: float | None
    information: float | None


def proxy_sizes(swarm: Swarm, coefficients: FloatArray, /) -> list[ProxySize]:
    """Account of every model size, smallest first; empty where there are not several.

    Args:
        swarm: runs of all sizes.
        coefficients: (t,) of the objective.
    """
    if swarm.model_parameters is None:
        return []
    sizes = np.unique(swarm.model_parameters)
    if len(sizes) < 2:
        return []
    largest = _means(swarm, coefficients, float(sizes[-1]))
    return [
        _account(swarm, coefficients, float(size), None if size == sizes[-1] else largest) for size in sizes
    ]


def most_informative(sizes: Sequence[ProxySize], /) -> ProxySize | None:
    """The size that surely tells most per FLOP; None where none surely tells anything."""
    known = [size for size in sizes if size.information]
    return max(known, key=lambda size: size.information or 0.0) if known else None


def _account(
    swarm: Swarm, coefficients: FloatArray, size: float, largest: dict[tuple[float, ...], float] | None
) -> ProxySize:
    rows = swarm.model_parameters == size
    flops = None if swarm.tokens is None else float(6 * size * np.mean(swarm.tokens[rows]))
    if largest is None:
        return ProxySize(size, int(np.sum(rows)), 0, None, None, flops, None)
    own = _means(swarm, coefficients, size)
    common = [key for key in own if key in largest]
    rank = None
    if len(common) >= _LEAST:
        rank = spearman(np.array([own[key] for key in common]), np.array([largest[key] for key in common]))
    interval = None if rank is None else _interval(rank, len(common))
    information = None
    if interval is not None and flops is not None:
        information = -0.5 * float(np.log1p(-(max(interval[0], 0.0) ** 2))) / (flops / 1e18)
    return ProxySize(size, int(np.sum(rows)), len(common), rank, interval, flops, information)


def _interval(rank: float, common: int) -> tuple[float, float]:
    centre = np.arctanh(np.clip(rank, -_HIGHEST, _HIGHEST))
    reach = _SURE * np.sqrt(1.06 / (common - 3))  # 1.06: ranks in place of values (Fieller et al. 1957)
    return float(np.tanh(centre - reach)), float(np.tanh(centre + reach))


def _means(swarm: Swarm, coefficients: FloatArray, size: float) -> dict[tuple[float, ...], float]:
    """Mean objective of each distinct mixture at one size."""
    rows = np.flatnonzero(swarm.model_parameters == size)
    found: dict[tuple[float, ...], list[float]] = {}
    for row in rows:
        key = tuple((swarm.weights[row].round(9) + 0.0).tolist())
        found.setdefault(key, []).append(float(swarm.values[row] @ coefficients))
    return {key: float(np.mean(values)) for key, values in found.items()}
