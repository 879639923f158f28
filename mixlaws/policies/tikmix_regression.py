"""How the influence of domains depends on the mixture in force: the regression of TiKMiX-M.

    P(w, s) = P_mean + B (z(w, s) - z_mean),    z(w, s) = (w, c ln s)
    min_B  sum_k |P_k - P(w_k, s_k)|^2 + r |B|^2              r: a ridge, as part of the mean |z_k - z_mean|^2

over measurements k, each of a whole table P_k (d, t), made after s_k steps while w_k was in force. By the
additive definition a mixture is worth sum_i w_i P_i, which needs no regression; P itself depends on what the
model was trained on, and that is what is learnt here: domains that teach the same make each other worth less.
ln s is there so that what fades with training is not put down to the mixture, which often moves with time; c
gives it as much spread as all weights together.

Whether anything was learnt is asked of time: each table is predicted from those before it alone, by the
regression with each ridge, as the last of them, and as their mean. Where no ridge has a mean square error a
tenth below that of both others, there is no regression.
"""

from collections.abc import Callable
from dataclasses import dataclass
from functools import partial

import numpy as np

from mixlaws.arrays import FloatArray

FEWEST = 6  # tables, of which the later half are predicted
_RIDGES = (0.1, 1.0, 10.0)
_BETTER = 0.9  # of the square error of the rivals, that a regression may have
_ROUNDING = 1e-12


@dataclass(frozen=True, eq=False)
class Interactions:
    """Influence as a function of the mixture, at one moment of training.

    Args:
        base: (d, t) P at weights of 0.
        effects: (d, d, t) how P changes with each weight, of the first axis.
    """

    base: FloatArray
    effects: FloatArray

    def influence(self, weights: FloatArray) -> FloatArray:
        """(d, t) P with these weights (d,) in force."""
        return np.asarray(self.base + np.tensordot(weights, self.effects, 1))

    def gains(self, weights: FloatArray) -> FloatArray:
        """(t,) what training on a mixture (d,) does while it is in force: sum_i w_i P_i(w)."""
        return np.asarray(weights @ self.influence(weights))

    def jacobian(self, weights: FloatArray) -> FloatArray:
        """(d, t) derivatives of the gains."""
        return np.asarray(self.influence(weights) + np.tensordot(self.effects, weights, (1, 0)))


def learnt(weights: FloatArray, steps: FloatArray, tables: FloatArray) -> Interactions | None:
    """What tables tell of interactions at the newest one; None where they tell nothing. Axis k counts tables.

    Args:
        weights: (k, d) mixtures in force, in the order of time.
        steps: (k,) steps made.
        tables: (k, d, t) influences.
    """
    count, d = weights.shape
    if count < FEWEST:
        return None
    clock, spread = np.log(np.maximum(steps, 1.0)), float(weights.var(axis=0).sum())
    if spread <= _ROUNDING:
        return None
    clock = (clock - clock[-1]) * np.sqrt(spread / max(float(clock.var()), _ROUNDING))
    context = np.column_stack([weights, clock])
    flat = tables.reshape(count, -1)
    rivals = [_error(context, flat, rule) for rule in (_last, _mean)]
    errors = [_error(context, flat, partial(_by_ridge, ridge=ridge)) for ridge in _RIDGES]
    best = int(np.argmin(errors))
    if not errors[best] < _BETTER * min(rivals):
        return None
    offsets, system = _system(context, _RIDGES[best])
    mean = flat.mean(axis=0)
    slopes = offsets.T @ np.linalg.solve(system, flat - mean)
    here = mean - context.mean(axis=0) @ slopes
    shape = tables.shape[1:]
    return Interactions(here.reshape(shape), slopes[:d].reshape(d, *shape))


def _error(
    context: FloatArray, flat: FloatArray, rule: Callable[[FloatArray, FloatArray], FloatArray]
) -> float:
    """Square error of the later half of tables, each foretold as a sum of those before it."""
    ahead = range(len(flat) // 2, len(flat))
    return sum(float(np.sum((flat[k] - rule(context[:k], context[k]) @ flat[:k]) ** 2)) for k in ahead)


def _last(past: FloatArray, _at: FloatArray) -> FloatArray:
    return np.append(np.zeros(len(past) - 1), 1.0)


def _mean(past: FloatArray, _at: FloatArray) -> FloatArray:
    return np.full(len(past), 1.0 / len(past))


def _by_ridge(past: FloatArray, at: FloatArray, ridge: float) -> FloatArray:
    """(k,) what each past table counts in a prediction: the regression is linear in them."""
    offsets, system = _system(past, ridge)
    counted = np.linalg.solve(system, offsets @ (at - past.mean(axis=0)))
    return np.asarray(counted + (1 - counted.sum()) / len(past))


def _system(context: FloatArray, ridge: float) -> tuple[FloatArray, FloatArray]:
    """Contexts less their mean, and the matrix of the dual problem, as large as there are tables."""
    offsets = context - context.mean(axis=0)
    products = offsets @ offsets.T
    shrinkage = ridge * max(float(np.trace(products)) / len(products), _ROUNDING)
    return offsets, products + shrinkage * np.eye(len(products))
