"""The common law of a portfolio: a power law with a floor for the loss of each domain over its own tokens.

    L_i(n) = c_i + b_i n^-a_i        c_i, b_i >= 0

The exponent runs over a grid, on which c and b are known in closed form; the curve is the mean over the grid
by likelihood. Spans count by their tokens, since the noise of a mean loss falls with them.
"""

from dataclasses import dataclass

import numpy as np

from mixlaws.arrays import FloatArray

_EXPONENTS = np.array([0.05, 0.1, 0.15, 0.2, 0.3, 0.4, 0.5, 0.65, 0.8, 1.0])
_LEAST_VARIANCE = 1e-10  # nats^2; a curve without noise is as likely as one with a little
_TINY = 1e-12


@dataclass(frozen=True, eq=False)
class Curves:
    """Fitted curves; axis g is the grid of exponents.

    Args:
        floor: (g, d) c.
        height: (g, d) b n0^-a, what is above the floor after n0 tokens.
        weight: (g, d) likelihood of each exponent, 1 in all.
        at: (d,) n0, tokens where the fit ends.
    """

    floor: FloatArray
    height: FloatArray
    weight: FloatArray
    at: FloatArray

    def losses(self, tokens: FloatArray, /) -> FloatArray:
        """(d,) losses after (d,) tokens of each domain, nats per token."""
        fallen = (np.maximum(tokens, 1.0) / self.at) ** -_EXPONENTS[:, None]
        return np.asarray((self.weight * (self.floor + self.height * fallen)).sum(axis=0))


def fitted(before: FloatArray, tokens: FloatArray, losses: FloatArray, /) -> Curves:
    """Fit all curves; the first span is left out, since a loss falls too fast in it to have a mean.

    Args:
        before: (d,) tokens that were read before the first span.
        tokens: (k, d) tokens in each of k spans, at least 3.
        losses: (k, d) mean losses in them, nats per token; anything where there are no tokens.
    """
    total = before + tokens.cumsum(axis=0)
    at = np.maximum(total[-1], 1.0)
    middle, tokens, losses = (total - tokens / 2)[1:], tokens[1:], np.where(tokens > 0, losses, 0.0)[1:]
    share = tokens / np.maximum(tokens.sum(axis=0), 1.0)
    powers = (np.maximum(middle, 1.0) / at) ** -_EXPONENTS[:, None, None]  # (g, k, d)
    mean_power, mean_loss = (share * powers).sum(axis=1), (share * losses).sum(axis=0)
    off = powers - mean_power[:, None, :]
    height = (share * off * (losses - mean_loss)).sum(axis=1)
    height = height / np.maximum((share * off**2).sum(axis=1), _TINY)
    height = np.clip(height, 0.0, mean_loss / np.maximum(mean_power, _TINY))
    floor = mean_loss - height * mean_power
    misfit = (share * (losses - floor[:, None, :] - height[:, None, :] * powers) ** 2).sum(axis=1)
    least = misfit.min(axis=0)
    variance = np.maximum(least / np.maximum((tokens > 0).sum(axis=0) - 2, 1), _LEAST_VARIANCE)
    likelihood = np.exp(-(misfit - least) / (2 * variance))
    return Curves(floor, height, likelihood / likelihood.sum(axis=0), at)
