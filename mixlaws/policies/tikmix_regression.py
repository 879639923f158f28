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

from dataclasses import dataclass

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
    ahead = [(context[:k], flat[:k], context[k], flat[k]) for k in range(count // 2, count)]
    rivals = [
        sum(_square(after - past[-1]) for _, past, _, after in ahead),
        sum(_square(after - past.mean(axis=0)) for _, past, _, after in ahead),
    ]
    errors = [
        sum(_square(after - _predicted(before, past, at, ridge)) for before, past, at, after in ahead)
        for ridge in _RIDGES
    ]
    best = int(np.argmin(errors))
    if not errors[best] < _BETTER * min(rivals):
        return None
    mean, slopes = _fitted(context, flat, _RIDGES[best])
    here = mean - context.mean(axis=0) @ slopes
    shape = tables.shape[1:]
    return Interactions(here.reshape(shape), slopes[:d].reshape(d, *shape))


def _square(values: FloatArray) -> float:
    return float(np.sum(values**2))


def _predicted(context: FloatArray, flat: FloatArray, at: FloatArray, ridge: float) -> FloatArray:
    mean, duals, offsets = _solved(context, flat, ridge)
    return np.asarray(mean + (offsets @ (at - context.mean(axis=0))) @ duals)


def _fitted(context: FloatArray, flat: FloatArray, ridge: float) -> tuple[FloatArray, FloatArray]:
    mean, duals, offsets = _solved(context, flat, ridge)
    return mean, offsets.T @ duals


def _solved(context: FloatArray, flat: FloatArray, ridge: float) -> tuple[FloatArray, FloatArray, FloatArray]:
    """Mean table, and the dual solution of the ridge regression: as many rows as there are tables."""
    offsets = context - context.mean(axis=0)
    mean = flat.mean(axis=0)
    products = offsets @ offsets.T
    shrinkage = ridge * max(float(np.trace(products)) / len(flat), _ROUNDING)
    duals = np.linalg.solve(products + shrinkage * np.eye(len(flat)), flat - mean)
    return mean, duals, offsets
