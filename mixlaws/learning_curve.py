"""How the regret of a decision falls with the number of runs, from decisions of subsets of the runs.

    regret(m) = a m^-b                   judged by draws of the truth, which know what all runs leave open
    regret(m) = a (m^-b - n^-b)          judged by the fit of all n runs, which takes itself for the truth

A subset of m of the n runs and the whole share runs, so that their fits differ by 1/m - 1/n of the variance
and not by 1/m: without the second term the curve would fall to 0 at n runs and promise too much.

Regret is quadratic in the error of a fit near its optimum, and the variance of that error falls as 1/n:
b is pulled towards 1, more weakly the more subsets there are. Regrets scatter in proportion to their mean,
hence the quasi-likelihood of an exponential distribution, in which a has a closed form.
"""

from dataclasses import dataclass

import numpy as np

from mixlaws.arrays import FloatArray

_EXPONENTS = np.linspace(0.25, 2.5, 46)
_EXPECTED, _SPREAD = 1.0, 0.35  # of the exponent, before any data
_SMALLEST = 1e-12  # nats: keeps logarithms finite where a decision never changes


@dataclass(frozen=True, eq=False)
class LearningCurve:
    """A fitted curve.

    Args:
        amplitude: a, nats per token.
        exponent: b.
        amplitudes: (k,) and exponents: (k,) of the same fit to resampled subsets.
    """

    amplitude: float
    exponent: float
    amplitudes: FloatArray
    exponents: FloatArray

    def regret(self, runs: float, /) -> float:
        """Expected regret after a number of runs, nats per token."""
        return float(self.amplitude * runs**-self.exponent)

    def regret_interval(self, runs: float, /) -> tuple[float, float]:
        """What 80 % of the resampled curves hold for it."""
        low, high = np.quantile(self.amplitudes * runs**-self.exponents, [0.1, 0.9])
        return float(low), float(high)

    def runs_for(self, regret: float, /) -> float:
        """Runs after which the expected regret is as low as that."""
        return float((self.amplitude / regret) ** (1 / self.exponent))

    def runs_interval(self, regret: float, /) -> tuple[float, float]:
        """What 80 % of the resampled curves hold for it."""
        low, high = np.quantile((self.amplitudes / regret) ** (1 / self.exponents), [0.1, 0.9])
        return float(low), float(high)


def learning_curve(
    sizes: FloatArray,
    regrets: FloatArray,
    *,
    subtracted: float | None,
    rng: np.random.Generator,
    resamples: int = 400,
) -> LearningCurve:
    """Fit the curve.

    Args:
        sizes: (k,) runs of the subsets.
        regrets: (s, k, j) regrets of s nested chains of subsets, as j judges have them, nats per token.
        subtracted: n where the judge is the fit of all n runs; None where judges are draws of the truth.
        rng: resamples chains and judges.
        resamples: curves that the intervals come from.
    """
    chains, _, judges = regrets.shape
    amplitude, weights = _profile(sizes, regrets.mean(axis=2), subtracted)
    best = int(weights.argmax())
    found = np.empty((resamples, 2))
    for row in range(resamples):
        judge = rng.integers(judges, size=judges)
        chosen = regrets[rng.integers(chains, size=chains)]
        amplitudes, likely = _profile(sizes, chosen[:, :, judge].mean(axis=2), subtracted)
        # Drawn and not the best: chains of one swarm agree more than those of several swarms would.
        exponent = int(rng.choice(len(_EXPONENTS), p=likely))
        found[row] = amplitudes[exponent], _EXPONENTS[exponent]
    return LearningCurve(float(amplitude[best]), float(_EXPONENTS[best]), found[:, 0], found[:, 1])


def _profile(
    sizes: FloatArray, regrets: FloatArray, subtracted: float | None
) -> tuple[FloatArray, FloatArray]:
    """Best amplitude of every exponent, and the weight of every exponent, summing to 1."""
    shapes = sizes[None, :] ** -_EXPONENTS[:, None]
    if subtracted is not None:
        shapes = shapes - subtracted ** -_EXPONENTS[:, None]
    means = np.maximum(regrets.mean(axis=0), _SMALLEST)
    amplitudes = (means / shapes).mean(axis=1)
    # Subsets of one chain hold each other's runs: a chain counts as one observation for each size at most.
    logarithm = -len(regrets) * (np.log(amplitudes[:, None] * shapes)).sum(axis=1)
    logarithm -= 0.5 * ((_EXPONENTS - _EXPECTED) / _SPREAD) ** 2
    weights = np.exp(logarithm - logarithm.max())
    return amplitudes, weights / weights.sum()
