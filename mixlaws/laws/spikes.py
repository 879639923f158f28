"""Starts for a target that one domain rules: flat wherever it has a share, and high where it has none.

    y = c + b exp(-r w_j)

Floors and a linear fit of logarithms do not lead there, as a spike at w_j = 0 holds a few runs alone. For a
rate r the rest is a regression; rates lie on a grid, and the domains that explain a target best are kept.
"""

import numpy as np

from mixlaws.arrays import FloatArray
from mixlaws.laws.fitting import spreads

_RATES = np.array([4.0, 8.0, 16.0, 32.0])  # of shares: half of the height is gone at .17 to .02
_ROOM = 0.01  # spreads that stay between a floor and the smallest value


def spike_starts(weights: FloatArray, values: FloatArray, /, *, count: int) -> FloatArray:
    """(s, t, d + 1) floors c and tilts log b - r e_j of the domains that explain each target best.

    Args:
        weights: (n, d) mixtures.
        values: (n, t) values.
        count: domains for each target; s is no more than d.
    """
    d = weights.shape[1]
    curves = np.exp(-_RATES[:, None] * weights.T[:, None, :])  # (d, rates, n)
    centred = curves - curves.mean(axis=2, keepdims=True)
    variance = np.maximum((centred**2).sum(axis=2), 1e-12)[:, :, None]
    height = centred @ (values - values.mean(axis=0)) / variance  # (d, rates, t)
    explained = np.where(height > 0, height**2 * variance, -1.0)
    rate = explained.argmax(axis=1)  # (d, t)
    domains = np.argsort(-explained.max(axis=1), axis=0, kind="stable")[:count]  # (s, t)
    target = np.arange(values.shape[1])
    rate = rate[domains, target]
    spread = spreads(values)
    amplitude = np.maximum(height[domains, rate, target], 1e-3 * spread)
    floor = values.mean(axis=0) - amplitude * curves[domains, rate].mean(axis=2)
    starts = np.empty((*domains.shape, d + 1))
    starts[:, :, 0] = np.clip(floor, 0.0, np.maximum(values.min(axis=0) - _ROOM * spread, 0.0))
    starts[:, :, 1:] = np.log(amplitude)[:, :, None]
    np.put_along_axis(starts, domains[:, :, None] + 1, (np.log(amplitude) - _RATES[rate])[:, :, None], axis=2)
    return starts
