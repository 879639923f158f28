"""A minimum under limits on predicted targets: no target worse than at the prior, or by so much at most.

    min_w  f(w)    subject to  f_t(w) <= f_t(q) + s for every target t,  and w feasible

Solver: the augmented Lagrangian method (Hestenes 1969, Powell 1969),

    f(w) + 1 / (2 p) sum_t [ max(0, m_t + p g_t(w))^2 - m_t^2 ],    g_t(w) = f_t(w) - f_t(q) - s

minimised for multipliers m, which become max(0, m + p g) at the minimum. What is left over is mended on the
way to the mixture whose largest rise is least: if that one breaks a limit too, no mixture was found that
keeps all of them.
"""

from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import TypeAlias

import numpy as np

from mixlaws.arrays import FloatArray, JsonObject
from mixlaws.errors import InfeasibleError
from mixlaws.estimator import DifferentiablePredictor, Proposal
from mixlaws.problem import MixtureProblem
from mixlaws.proposers.largest_rise import LargestRise
from mixlaws.proposers.simulate import scored

Minimise: TypeAlias = Callable[[DifferentiablePredictor, MixtureProblem, FloatArray | None], Proposal]
"""The minimum of a predictor's objective over a problem's feasible mixtures, from a start if there is one."""

_ROUNDS = 30
_SETTLED = 1e-8  # nats: limits that are met to this need no further round
_FIRST_PRICE, _DEARER = 20.0, 2.0
_KEPT = 1e-10  # nats: a limit that is broken by less is kept
_SHARPNESS = 100.0  # per nat
_HALVINGS = 50


@dataclass(frozen=True, eq=False)
class _Priced:
    """One target: the objective with what breaking the limits costs."""

    predictor: DifferentiablePredictor
    problem: MixtureProblem
    limits: FloatArray
    multipliers: FloatArray
    price: float

    def predict(self, weights: FloatArray, /) -> FloatArray:
        values = self.predictor.predict(weights)
        costs = (self._pushed(values) ** 2 - self.multipliers**2).sum(axis=1) / (2 * self.price)
        return np.asarray((self.problem.objective(values) + costs)[:, None])

    def jacobian(self, weights: FloatArray, /) -> FloatArray:
        slopes = self.predictor.jacobian(weights)
        push = np.einsum("nt,ntd->nd", self._pushed(self.predictor.predict(weights)), slopes)
        return np.asarray((self.problem.objective(slopes.transpose(0, 2, 1)) + push)[:, None, :])

    def dump(self) -> JsonObject:
        return {"schema": 1, "priced": self.predictor.dump()}

    def _pushed(self, values: FloatArray) -> FloatArray:
        return np.asarray(np.maximum(self.multipliers + self.price * (values - self.limits), 0.0))


def no_worse(
    minimise: Minimise,
    predictor: DifferentiablePredictor,
    problem: MixtureProblem,
    /,
    *,
    worsening: float,
) -> Proposal:
    """The minimum at which no target is more than `worsening` above its prediction at the prior.

    Args:
        minimise: finds minima without limits.
        predictor: of the targets.
        problem: its problem.
        worsening: s, in the unit of the targets.

    Raises:
        InfeasibleError: at every mixture that was tried some target is worse than that.
    """
    reference = predictor.predict(problem.prior[None, :])
    limits = reference[0] + worsening

    def excess(weights: FloatArray) -> float:
        return float((predictor.predict(weights[None, :])[0] - limits).max())

    free = minimise(predictor, problem, None)
    if excess(free.weights) <= _KEPT:
        return free
    alone = replace(problem, coefficients=None)
    safe = _safest(minimise, predictor, alone, reference, excess)
    multipliers, price, found = np.zeros(len(limits)), _FIRST_PRICE, free
    before = np.inf
    for _ in range(_ROUNDS):
        found = minimise(_Priced(predictor, problem, limits, multipliers, price), alone, found.weights)
        over = predictor.predict(found.weights[None, :])[0] - limits
        # Limits that are broken, and prices that are paid for limits which do not bind.
        off = float(np.abs(np.maximum(over, -multipliers / price)).max())
        if off <= _SETTLED:
            break
        multipliers = np.maximum(multipliers + price * over, 0.0)
        if off > 0.5 * before:
            price *= _DEARER
        before = off
    weights = _mended(found.weights, safe, excess)
    details = {**found.details, "largest_loss": excess(weights) + worsening}
    return scored(weights, predictor, problem, details=details)


def _safest(
    minimise: Minimise,
    predictor: DifferentiablePredictor,
    problem: MixtureProblem,
    reference: FloatArray,
    excess: Callable[[FloatArray], float],
) -> FloatArray:
    """(d,) a mixture that keeps the limits, with room to spare if there is any."""
    worst = LargestRise(predictor, reference, np.ones(reference.shape[1]), _SHARPNESS)
    tried = [minimise(worst, problem, problem.prior).weights]
    if problem.feasible.contains(problem.prior[None, :], tolerance=1e-12)[0]:
        tried.append(problem.prior)
    best = min(tried, key=excess)
    if excess(best) > _KEPT:
        raise InfeasibleError(
            f"no feasible mixture keeps every target near the prior: at the best one a target is worse by "
            f"{excess(best):.3g} than allowed: allow a larger worsening, or loosen bounds, groups or distance"
        )
    return best


def _mended(weights: FloatArray, safe: FloatArray, excess: Callable[[FloatArray], float]) -> FloatArray:
    """(d,) the first mixture on the way to a safe one at which the limits hold."""
    if excess(weights) <= _KEPT:
        return weights
    near, kept = 0.0, 1.0
    for _ in range(_HALVINGS):
        middle = 0.5 * (near + kept)
        enough = excess((1 - middle) * weights + middle * safe) <= _KEPT
        near, kept = (near, middle) if enough else (middle, kept)
    return np.asarray((1 - kept) * weights + kept * safe)
