"""Exponential data-mixing law, form M4 of Data Mixing Laws.

    L_t(w) = c_t + exp(a_t · w)

Source: Ye et al. 2024, arXiv:2403.16952, Eq. 7. Their factor k_t is folded into a_t, since weights sum
to 1 and log k_t can be added to every entry of a_t: this is the gauge in which parameters are unique.

Fit: for each c of a grid below the smallest value, a weighted linear fit of log(y - c) gives a start
(variable projection); a robust Levenberg-Marquardt over (c, a) refines all starts, targets, ridges and
folds in one batch. The ridge pulls a_t towards its own mean, that is the law towards a constant; without
it the law over-fits a sweep of a few dozen runs beyond use. Its strength is chosen by cross-validation,
one value for all targets, unless it is given.
"""

from dataclasses import dataclass
from typing import Literal

import numpy as np

from mixlaws.arrays import FloatArray, IntArray, JsonObject, frozen
from mixlaws.errors import FitError, InvalidInputError, StateError, SwarmTooSmallError
from mixlaws.least_squares import Batch, Model, minimise
from mixlaws.swarm import Swarm

SCHEMA = 1
RIDGES = (1e-6, 1e-5, 1e-4, 1e-3, 1e-2)  # 1e-1 was measured to shrink every published swarm too far
FOLDS = 20
_STARTS = 12
_EXPONENT_LIMIT = 50.0  # e^50 nats: a trial step may overflow, a fit may not


@dataclass(frozen=True, eq=False)
class ExponentialPredictor:
    """A fitted exponential law.

    Args:
        floor: (t,) c_t, nats per token. Not an irreducible loss: it often lies just below the data.
        tilt: (t, d) a_t, gauge-fixed.
        ridge: penalty that was used.
    """

    floor: FloatArray
    tilt: FloatArray
    ridge: float

    def predict(self, weights: FloatArray, /) -> FloatArray:
        """(n, t) losses of (n, d) mixtures, nats per token."""
        return np.asarray(self.floor + np.exp(weights @ self.tilt.T))

    def jacobian(self, weights: FloatArray, /) -> FloatArray:
        """(n, t, d) derivatives: exp(a_t · w) a_t."""
        return np.asarray(np.exp(weights @ self.tilt.T)[:, :, None] * self.tilt)

    def dump(self) -> JsonObject:
        """Parameters as JSON."""
        return {
            "schema": SCHEMA,
            "law": "exponential",
            "floor": self.floor.tolist(),
            "tilt": self.tilt.tolist(),
            "ridge": self.ridge,
        }


@dataclass(frozen=True)
class ExponentialLaw:
    """Hyperparameters of the fit.

    Args:
        ridge: strength of the pull towards a constant, for residuals in units of the standard
            deviation of the values; "auto" chooses it by cross-validation.
        huber_delta: residual beyond which the loss grows linearly, in the same unit.
        raw_residuals: measure residuals in nats and not in standard deviations, as the paper does.
    """

    ridge: float | Literal["auto"] = "auto"
    huber_delta: float = 1.0
    raw_residuals: bool = False

    def __post_init__(self) -> None:
        if self.ridge != "auto" and not (np.isfinite(self.ridge) and self.ridge >= 0):
            raise InvalidInputError(f"ridge is {self.ridge!r}: use a finite value >= 0, or 'auto'")
        if not self.huber_delta > 0:
            raise InvalidInputError(f"huber_delta is {self.huber_delta!r}: use a value > 0")

    def fit(self, swarm: Swarm, /, *, rng: np.random.Generator) -> ExponentialPredictor:
        """Fit every target of a swarm.

        Raises:
            SwarmTooSmallError: fewer runs than the d + 1 parameters of a target.
            FitError: no start led to finite parameters.
        """
        d = len(swarm.domains)
        if len(swarm) < d + 1:
            raise SwarmTooSmallError(
                method=f"the exponential law with {d} domains", needed=d + 1, got=len(swarm)
            )
        ridge = self._choose_ridge(swarm, rng) if self.ridge == "auto" else self.ridge
        theta = self._fit(swarm, ridge)
        return ExponentialPredictor(frozen(theta[:, 0]), frozen(theta[:, 1:]), float(ridge))

    def load(self, raw: JsonObject, /) -> ExponentialPredictor:
        """Rebuild a predictor from its dump."""
        if raw.get("law") != "exponential" or raw.get("schema") != SCHEMA:
            raise StateError(f"not a dump of the exponential law, schema {SCHEMA}: {raw.get('law')!r}")
        return ExponentialPredictor(frozen(raw["floor"]), frozen(raw["tilt"]), float(raw["ridge"]))

    def _fit(self, swarm: Swarm, ridge: float) -> FloatArray:
        """(t, 1 + d) best parameters over all starts."""
        starts = _starts(swarm.weights, swarm.values)
        count, t, p = starts.shape
        y = np.tile(swarm.values.T, (count, 1))
        batch = self._batch(swarm, y, np.ones_like(y), np.full(len(y), ridge))
        theta, objective = minimise(_law(swarm.weights), starts.reshape(count * t, p), batch)
        best = objective.reshape(count, t).argmin(axis=0)
        chosen = theta.reshape(count, t, p)[best, np.arange(t)]
        if not np.all(np.isfinite(objective.reshape(count, t).min(axis=0))) or not np.all(
            np.isfinite(chosen)
        ):
            raise FitError("the exponential law found no finite fit: check the targets for outliers")
        return np.asarray(chosen)

    def _batch(self, swarm: Swarm, y: FloatArray, mask: FloatArray, ridge: FloatArray) -> Batch:
        spread = swarm.values.std(axis=0)
        unit = np.ones_like(spread) if self.raw_residuals else np.where(spread > 0, spread, 1.0)
        d = len(swarm.domains)
        penalty = np.zeros((d + 1, d + 1))
        penalty[1:, 1:] = np.eye(d) - 1.0 / d
        lower = np.full(d + 1, -np.inf)
        lower[0] = 0.0  # a loss is never negative, so neither is its floor
        scale = np.tile(unit, len(y) // len(unit))
        return Batch(
            y=y, mask=mask, scale=scale, delta=self.huber_delta, ridge=ridge, penalty=penalty, lower=lower
        )

    def _choose_ridge(self, swarm: Swarm, rng: np.random.Generator) -> float:
        """The ridge whose held-out residuals are smallest, summed over targets in units of their spread."""
        n, t = swarm.values.shape
        folds: IntArray = rng.permutation(n) % min(n, FOLDS)
        kept = (folds[None, :] != np.arange(folds.max() + 1)[:, None]).astype(np.float64)
        scores = []
        for ridge in RIDGES:
            start = self._fit(swarm, ridge)
            f = len(kept)
            y = np.tile(swarm.values.T, (f, 1))
            batch = self._batch(swarm, y, np.repeat(kept, t, axis=0), np.full(f * t, ridge))
            theta, _ = minimise(
                _law(swarm.weights), np.tile(start, (f, 1)), batch, iterations=60, tolerance=1e-6
            )
            values, _ = _law(swarm.weights)(theta)
            held_out = np.abs((values - y) / batch.scale[:, None]) * (1 - batch.mask)
            scores.append(float(np.minimum(held_out, 10.0).sum()))
        return RIDGES[int(np.argmin(scores))]


def _law(weights: FloatArray) -> Model:
    """The law as a model of theta = (c, a): (b, 1 + d) -> (b, n) and (b, n, 1 + d)."""

    def model(theta: FloatArray) -> tuple[FloatArray, FloatArray]:
        growth = np.exp(np.minimum(theta[:, 1:] @ weights.T, _EXPONENT_LIMIT))
        slopes = np.empty((*growth.shape, theta.shape[1]))
        slopes[:, :, 0] = 1.0
        np.multiply(growth[:, :, None], weights, out=slopes[:, :, 1:])
        return theta[:, :1] + growth, slopes

    return model


def _starts(weights: FloatArray, values: FloatArray) -> FloatArray:
    """(s, t, 1 + d) starts: a grid of floors, and for each the weighted linear fit of log(y - c)."""
    d = weights.shape[1]
    lowest = values.min(axis=0)
    spread = np.maximum(values.std(axis=0), 1e-9 * np.maximum(np.abs(lowest), 1.0))
    # Gaps below the smallest value, from a hundredth of the spread to the whole of it, evenly in logarithm.
    reach = np.maximum(np.abs(lowest), 2 * spread)
    gaps = np.exp(np.linspace(np.log(0.01 * spread), np.log(reach), _STARTS))
    starts = np.empty((_STARTS, values.shape[1], d + 1))
    for s, gap in enumerate(gaps):
        floor = np.maximum(lowest - gap, 0.0)
        excess = np.maximum(values - floor, 1e-3 * spread)
        # A small error e of log(y - c) is an error (y - c) e of y: hence the weights.
        for t in range(values.shape[1]):
            emphasis = excess[:, t] / excess[:, t].max()
            rows = np.concatenate([weights * emphasis[:, None], 1e-3 * (np.eye(d) - 1.0 / d)])
            goal = np.concatenate([np.log(excess[:, t]) * emphasis, np.zeros(d)])
            starts[s, t, 0] = floor[t]
            starts[s, t, 1:] = np.linalg.lstsq(rows, goal, rcond=None)[0]
    return starts
