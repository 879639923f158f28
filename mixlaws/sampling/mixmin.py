"""MixMin: the mixture under which the target text is likeliest, when probabilities of models are mixed.

    min_w  - mean_x  ln( sum_j w_j exp(L_xj) ) / n_x    subject to  l <= w <= u,  sum(w) = 1

L_xj is the log-probability of target sequence x, of n_x tokens, under a model trained on domain j alone.
The objective is convex. It costs one small model for each domain, and seconds of arithmetic.

Solver: exponentiated gradient, w <- w exp(-eta g), scaled into the bounds; eta grows while steps help and
shrinks when one does not. It stops by the gap of the KKT conditions in units of mean(1 / n_x): a bound on
the nats per sequence that are left, whatever the unit of the lengths. The size of the gradient, by which
the released code stops, says nothing here: at the optimum it is mean(1 / n_x) for every domain in use.

Source: Thudi et al. 2025, arXiv:2502.10510; the objective as in the released code, which starts uniform and
makes at most 100 steps with eta = 1, until the gradient is below 1e-4.
"""

from dataclasses import dataclass

import numpy as np

from mixlaws.arrays import FloatArray
from mixlaws.errors import FitError, InvalidInputError
from mixlaws.problem import MixtureProblem
from mixlaws.sampling.rule import NOTHING, Statistic, Statistics

_TINY = 1e-300  # keeps a weight positive, so that steps that multiply can raise it again
_SMALLEST_STEP = 1e-9


@dataclass(frozen=True)
class MixMin:
    """Hyperparameters.

    Args:
        gap: nats per sequence above the minimum that are accepted.
        iterations: most steps.
    """

    gap: float = 1e-7
    iterations: int = 20_000

    def __post_init__(self) -> None:
        if not (np.isfinite(self.gap) and self.gap > 0):
            raise InvalidInputError(f"gap is {self.gap}: use a finite value > 0")
        if self.iterations < 1:
            raise InvalidInputError(f"iterations is {self.iterations}: use at least 1")

    @property
    def needs(self) -> frozenset[Statistic]:
        """Log-probabilities of target sequences under each domain's model, and their lengths."""
        return frozenset({"log_probabilities", "lengths"})

    def mixture(self, problem: MixtureProblem, statistics: Statistics = NOTHING, /) -> FloatArray:
        """(d,) the minimum within bounds and caps.

        Raises:
            InvalidInputError: a statistic is missing, or a length is not positive.
            FitError: the gap was not reached.
        """
        logs = statistics.need("log_probabilities", (None, len(problem.domains)))
        lengths = statistics.need("lengths", (len(logs),))
        if lengths.min() <= 0:
            raise InvalidInputError(f"a sequence has {lengths.min():g} tokens: lengths must be positive")
        # A constant that a sequence adds to all its log-probabilities moves no minimum: it keeps exp finite.
        ratios = np.exp(logs - logs.max(axis=1, keepdims=True))
        shares = (1 / lengths) / (1 / lengths).sum()
        return self._descend(ratios, shares, problem)

    def _descend(self, ratios: FloatArray, shares: FloatArray, problem: MixtureProblem) -> FloatArray:
        """Minimise - shares @ ln(ratios @ w): ratios (x, d) are likelihoods, shares (x,) sum to 1."""
        d = len(problem.domains)
        weights = problem.feasible.project(np.full(d, 1.0 / d))
        slope = _slope(ratios, shares, weights)
        eta, gap = 1.0, np.inf
        for _ in range(self.iterations):
            gap = problem.feasible.gap(slope, weights)
            if gap <= self.gap:
                return weights
            # Steps beyond exp(+-50) are never accepted, and would leave the range of floats.
            powers = np.clip(-eta * slope, -50.0, 50.0)
            trial = problem.feasible.fill(np.maximum(weights * np.exp(powers), _TINY))
            trial_slope = _slope(ratios, shares, trial)
            # A convex objective that still falls at the trial is lower there: exact where values would round.
            if trial_slope @ (trial - weights) <= 0:
                weights, slope, eta = trial, trial_slope, 1.5 * eta
            elif eta > _SMALLEST_STEP:
                eta /= 3
            else:
                break
        raise FitError(
            f"MixMin stopped {gap:.3g} nats per sequence above the minimum, {self.gap:.3g} are accepted: "
            "allow more iterations or a larger gap"
        )


def mixture_loss(log_probabilities: FloatArray, lengths: FloatArray, weights: FloatArray, /) -> float:
    """Loss of the mixture of models, nats per token, averaged over sequences.

    Args:
        log_probabilities: (x, d) log-probability of each sequence under each domain's model.
        lengths: (x,) tokens of each sequence.
        weights: (d,) the mixture.
    """
    highest = log_probabilities.max(axis=1)
    likelihoods = np.exp(log_probabilities - highest[:, None]) @ weights
    return float(-((highest + np.log(np.maximum(likelihoods, _TINY))) / lengths).mean())


def _slope(ratios: FloatArray, shares: FloatArray, weights: FloatArray) -> FloatArray:
    """(d,) gradient of - shares @ ln(ratios @ weights), plus 1.

    Its mean under the weights is -1 everywhere; a constant changes nothing on the simplex, and what is left
    is small near the minimum, so that little of it is lost to rounding.
    """
    return np.asarray(1.0 - (shares / np.maximum(ratios @ weights, _TINY)) @ ratios)
