"""The mixture of TiKMiX: uniformity of gains, total gain and entropy, with no target worse than now.

    max_w  -u var_m(g_m) + v mean_m(g_m) + h H(w) / ln d      g = P' w,  H(w) = -sum_i w_i ln w_i
    subject to  sum(w) = 1,  w >= 0,  g_m >= g_m(now)

P (d, t) holds influences, each target divided by its largest one in size, so that gains and the spread of
them lie within [-1, 1] and the entropy within [0, 1]: equal strengths then mean what they say. The
three terms and the condition are the paper's; this normalisation, the variance as measure of spread and
the solver are ours (unverified: the paper's are not known to us).

The problem is convex, and the entropy makes its solution unique. A primal-dual interior point method finds
it (Nocedal and Wright 2006, section 19.3), with slacks of the condition and their prices, the multipliers.
The condition is loosened by 1e-9 of a largest influence, so that it has an interior even where nothing but
the mixture of now satisfies it.

Source: TiKMiX, arXiv:2508.17677, known to us from its abstract and from reviews that quote its equations.
"""

from dataclasses import dataclass

import numpy as np

from mixlaws.arrays import FloatArray
from mixlaws.errors import InvalidInputError

SLACK = 1e-9  # of a target's largest influence, by which its gain may be less
_ITERATIONS = 80  # some 15 are usual
_SETTLED = 1e-14  # mean product of slack and multiplier
_CENTRING = 0.1  # what is kept of that product in a step
_SHORT_OF_EDGE = 0.99  # part of the way to the nearest edge that a step may go
_LEAST = 1e-300


@dataclass(frozen=True)
class Strengths:
    """Strengths of the terms, in the order of the formula.

    Args:
        uniformity: u, of the negative variance of gains.
        gain: v, of the mean gain.
        entropy: h, above 0.

    Raises:
        InvalidInputError: a strength is negative or not finite, or the entropy's is 0.
    """

    uniformity: float = 1.0
    gain: float = 1.0
    entropy: float = 1.0

    def __post_init__(self) -> None:
        strengths = (self.uniformity, self.gain, self.entropy)
        if not (np.all(np.isfinite(strengths)) and min(strengths) >= 0 and self.entropy > 0):
            raise InvalidInputError(
                f"uniformity, gain, entropy are {strengths}: use finite values >= 0, and an entropy > 0"
            )

    def value(self, gains: FloatArray, weights: FloatArray) -> float:
        """The objective at gains (t,) and weights (d,)."""
        informative = weights[weights > 0]
        entropy = -float(informative @ np.log(informative)) / max(np.log(len(weights)), _LEAST)
        return float(-self.uniformity * gains.var() + self.gain * gains.mean() + self.entropy * entropy)


def scale(influence: FloatArray) -> FloatArray:
    """(t,) what influences (d, t) are divided by: the largest in size of each target, 1 if all are 0."""
    largest = np.abs(influence).max(axis=0, initial=0.0)
    return np.where(largest > 0, largest, 1.0)


def best_mixture(
    gains: FloatArray, now: FloatArray, strengths: Strengths, allowance: FloatArray | float = 0.0
) -> FloatArray:
    """(d,) the mixture of the largest objective, or the one of now where none is found that is better.

    Args:
        gains: (d, t) P.
        now: (d,) the mixture in force.
        strengths: of the terms.
        allowance: (t,) by how much a gain may be below that of now.
    """
    # Rounding follows the order of sums, which must not be that of names.
    order = np.lexsort((now, *gains.T))
    ranked, here = gains[order], now[order]
    least = here @ ranked - allowance
    found = _interior_point(ranked, least - SLACK, strengths)
    reached = found @ ranked
    feasible = bool(np.all(np.isfinite(found)) and np.all(reached >= least - 2 * SLACK))
    if not (feasible and strengths.value(reached, found) >= strengths.value(here @ ranked, here)):
        return now
    weights = np.empty(len(now))
    weights[order] = found
    return weights


def _interior_point(gains: FloatArray, least: FloatArray, strengths: Strengths) -> FloatArray:
    d, t = gains.shape
    spread = (gains - gains.mean(axis=1, keepdims=True)) / np.sqrt(t)
    curvature = 2 * strengths.uniformity * spread @ spread.T
    entropy = strengths.entropy / max(np.log(d), _LEAST)
    slope = -strengths.gain * gains.mean(axis=1)
    weights, slacks, prices = np.full(d, 1.0 / d), np.ones(t), np.ones(t)
    system = np.ones((d + 1, d + 1))
    system[-1, -1] = 0.0
    right = np.zeros(d + 1)
    for _ in range(_ITERATIONS):
        product = float(slacks @ prices) / t
        missing = weights @ gains - least - slacks
        if product <= _SETTLED and np.abs(missing).max() <= SLACK / 10:
            break
        aim = _CENTRING * product
        ratios = prices / slacks
        gradient = slope + curvature @ weights + entropy * (np.log(weights) + 1)
        system[:d, :d] = curvature + (gains * ratios) @ gains.T
        system[range(d), range(d)] += entropy / weights
        right[:d] = gains @ (aim / slacks - ratios * missing) - gradient
        right[d] = 1 - weights.sum()
        try:
            step = np.linalg.solve(system, right)[:d]
        except np.linalg.LinAlgError:
            break
        slack_step = step @ gains + missing
        price_step = (aim - prices * slack_step) / slacks - prices
        reach = _reach(weights, step, slacks, slack_step)
        weights, slacks = weights + reach * step, slacks + reach * slack_step
        prices = prices + _reach(prices, price_step) * price_step
    return np.asarray(weights / weights.sum())


def _reach(*pairs: FloatArray) -> float:
    """How much of the steps is possible: pairs of what must stay positive and its step."""
    reach = 1.0
    for values, step in zip(pairs[::2], pairs[1::2], strict=True):
        falling = step < 0
        if falling.any():
            reach = min(reach, _SHORT_OF_EDGE * float((-values[falling] / step[falling]).min()))
    return reach
