"""Direct minimisation of the predicted objective with a KL term to the prior, under bounds and caps.

    min_w  sum_t c_t f_t(w) + lambda KL(w || q)    subject to  l <= w <= u, sum(w) = 1

Sources: the form of Olmix's exact proposer (Chen et al. 2026, arXiv:2602.12237), for any differentiable
predictor. A domain to which the prior gives nothing gets nothing while lambda > 0, as the KL term is infinite
there. Without the KL term and with one target the optimum of a monotone law is a vertex.

Solver: mirror descent in the KL geometry. A step minimises the linearised objective, the exact KL term
and KL(w || w_k) / eta; its solution is a product of powers, scaled into the bounds by water-filling. The
step size eta is found by backtracking. The duality gap max_v <grad, w - v> over the feasible mixtures v
bounds the distance to the optimum where the objective is convex (it is for the exponential law); for
others several starts are tried and the best one is kept.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from mixlaws.arrays import FloatArray
from mixlaws.errors import FitError, InvalidInputError
from mixlaws.estimator import DifferentiablePredictor, Predictor, Proposal
from mixlaws.problem import MixtureProblem
from mixlaws.proposers.no_worse import no_worse
from mixlaws.proposers.simulate import scored
from mixlaws.proposers.towards_prior import towards_prior, with_slopes

_TINY = 1e-300  # keeps logarithms finite where a weight is zero
_SMALLEST_STEP = 1e-12
_PATIENCE = 20  # steps that together must win something, where a gap costs as much as many steps
_SETTLED = 1e-8  # nats: what they must win
_GAP = 1e-7  # nats: far below the noise of any proxy run


@dataclass(frozen=True)
class ConvexProposer:
    """Hyperparameters.

    Args:
        kl: lambda, nats per nat; in the unit of the objective.
        starts: random starts beside the prior and the uniform mixture.
        iterations: most mirror steps from each start.
        spread: distance that further proposals keep from each other, as total variation.
        worsening: by how much any predicted target may be above its prediction at the prior, in its unit;
            0 means that none is worse, None that there is no such limit.
    """

    kl: float = 0.05
    starts: int = 6
    iterations: int = 2000
    spread: float = 0.02
    worsening: float | None = None

    def __post_init__(self) -> None:
        if not (np.isfinite(self.kl) and self.kl >= 0):
            raise InvalidInputError(f"kl is {self.kl}: use a finite value >= 0")
        if self.starts < 0 or self.iterations < 1:
            raise InvalidInputError(f"starts {self.starts}, iterations {self.iterations}: need >= 0 and >= 1")
        if not 0 <= self.spread <= 1:
            raise InvalidInputError(f"spread is {self.spread}: use a total variation from 0 to 1")
        if self.worsening is not None and not (np.isfinite(self.worsening) and self.worsening >= 0):
            raise InvalidInputError(f"worsening is {self.worsening}: use a finite value >= 0")

    def propose(
        self, predictor: Predictor, problem: MixtureProblem, /, *, count: int, rng: np.random.Generator
    ) -> Sequence[Proposal]:
        """The minimum, then minima of a growing KL strength, towards the prior.

        There are fewer than `count` where the minimum is nearly the prior, or caps leave little room.

        Raises:
            FitError: the predictor has no derivatives, or predicts nothing finite.
            InvalidInputError: the prior leaves out a domain that has a lower bound above 0, and kl > 0.
            InfeasibleError: the domains of the prior alone cannot hold a mixture, and kl > 0, or no mixture
                keeps the limit on worsening.
        """
        smooth = with_slopes(predictor)

        def solve(allowed: MixtureProblem, strength: float) -> Proposal:
            if self.worsening is None:
                return self._solve(smooth, allowed, strength, rng)
            return no_worse(
                lambda priced, posed, start: self._solve(priced, posed, strength, rng, start),
                smooth, allowed, worsening=self.worsening,
            )  # fmt: skip

        return towards_prior(solve, problem, kl=self.kl, spread=self.spread, count=count)

    def _solve(
        self,
        predictor: DifferentiablePredictor,
        problem: MixtureProblem,
        kl: float,
        rng: np.random.Generator,
        start: FloatArray | None = None,
    ) -> Proposal:
        d = len(problem.domains)
        if start is None:
            corners = rng.dirichlet(np.ones(d), size=self.starts)
            starts = np.concatenate([problem.prior[None, :], np.full((1, d), 1.0 / d), corners])
        else:
            starts = start[None, :]
        # Mirror steps multiply, so a start must be positive wherever it may be.
        inside = problem.feasible.project(0.999 * starts + 0.001 / d)
        best: tuple[float, FloatArray, float] | None = None
        for point in inside:
            weights, gap = self._descend(predictor, problem, kl, point)
            value = _value(predictor, problem, kl, weights)
            if np.isfinite(value) and (best is None or value < best[0]):
                best = (value, weights, gap)
        if best is None:
            raise FitError("no start led to a finite predicted objective: fit another method")
        details = {"kl": kl, "gap": best[2]}
        if not np.any(best[1][problem.prior <= 0] > 0):  # else it is infinite, which is no detail
            details["divergence"] = _divergence(best[1], problem.prior)
        return scored(best[1], predictor, problem, details=details)

    def _descend(
        self, predictor: DifferentiablePredictor, problem: MixtureProblem, kl: float, start: FloatArray
    ) -> tuple[FloatArray, float]:
        weights, eta = start, 1.0
        value = _value(predictor, problem, kl, weights)
        gap = np.inf
        cheap, before = problem.feasible.bounds_alone, np.inf
        for step in range(self.iterations):
            slope = _slope(predictor, problem, weights)
            if cheap:
                gap = _gap(problem, kl, weights, slope)
                if gap <= _GAP:
                    break
            elif step % _PATIENCE == 0:
                if before - value < _SETTLED:
                    break
                before = value
            trial = _mirror_step(weights, slope, kl, eta, problem)
            trial_value = _value(predictor, problem, kl, trial)
            if trial_value < value:
                weights, value, eta = trial, trial_value, 1.6 * eta
            elif eta > _SMALLEST_STEP:
                eta /= 4
            else:
                break  # no step of any size helps: rounding is reached
        if not cheap and np.isfinite(value):
            gap = _gap(problem, kl, weights, _slope(predictor, problem, weights))
        return weights, gap


def _log_prior(problem: MixtureProblem) -> FloatArray:
    return np.asarray(np.log(np.maximum(problem.prior, _TINY)))


def _divergence(weights: FloatArray, prior: FloatArray) -> float:
    positive = weights > 0
    return float((weights[positive] * np.log(weights[positive] / np.maximum(prior[positive], _TINY))).sum())


def _value(predictor: Predictor, problem: MixtureProblem, kl: float, weights: FloatArray) -> float:
    objective = float(problem.objective(predictor.predict(weights[None, :])[0]))
    return objective + kl * _divergence(weights, problem.prior)


def _slope(predictor: DifferentiablePredictor, problem: MixtureProblem, weights: FloatArray) -> FloatArray:
    """(d,) derivative of the objective without its KL term."""
    return problem.objective(predictor.jacobian(weights[None, :])[0].T)


def _gap(problem: MixtureProblem, kl: float, weights: FloatArray, slope: FloatArray) -> float:
    full = slope + kl * (np.log(np.maximum(weights, _TINY)) - _log_prior(problem) + 1)
    return problem.feasible.gap(full, weights)


def _mirror_step(
    weights: FloatArray, slope: FloatArray, kl: float, eta: float, problem: MixtureProblem
) -> FloatArray:
    logs = (kl * _log_prior(problem) + np.log(np.maximum(weights, _TINY)) / eta - slope) / (kl + 1 / eta)
    shares = np.exp(np.clip(logs - logs.max(), -600.0, 0.0))
    return problem.feasible.fill(shares)
