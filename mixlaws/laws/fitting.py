"""What all parametric laws share: many starts, a ridge chosen by cross-validation, one batched fit.

A law names its shape for one target (`Form`); hyperparameters, fit, dump and load are the same for all.
Residuals are measured in standard deviations of a target's values, so that one ridge serves all targets.
"""

import math
from abc import ABC, abstractmethod
from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Literal, Protocol, Self

import numpy as np

from mixlaws.arrays import FloatArray, IntArray, JsonObject, frozen
from mixlaws.errors import FitError, InvalidInputError, StateError, SwarmTooSmallError
from mixlaws.least_squares import SLOPES, Batch, Model, minimise
from mixlaws.swarm import Swarm, mixture_numbers, require_mixtures

SCHEMA = 1
RIDGES = (1e-6, 1e-5, 1e-4, 1e-3, 1e-2)  # 1e-1 was measured to shrink every published swarm too far
FOLDS = 20
RIDGE_RUNS = (
    512  # runs that a ridge is chosen on, at most: it is that of a prior, and does not follow their number
)
_SCREENING = 6  # steps of every start before the finalists are chosen
_WORST = 10.0  # standard deviations that one held-out run may add to the score of a ridge


class Form(Protocol):
    """Shape of a law for one target; axis p is its parameters."""

    name: str

    def size(self, d: int) -> int:
        """Number of parameters that data must determine, for d domains."""
        ...

    def model(self, weights: FloatArray) -> Model:
        """The law on (n, d) mixtures: (b, p) parameters to (b, n) values and (b, n, p) slopes."""
        ...

    def starts(self, weights: FloatArray, values: FloatArray) -> FloatArray:
        """(s, t, p) starting parameters for (n, t) values."""
        ...

    def penalty(self, d: int) -> FloatArray:
        """(p, p) matrix of the ridge, which pulls the law towards a constant."""
        ...

    def lower(self, d: int) -> FloatArray:
        """(p,) lower bounds."""
        ...

    def jacobian(self, parameters: FloatArray, weights: FloatArray) -> FloatArray:
        """(n, t, d) derivatives of the law with (t, p) parameters by the weights (n, d)."""
        ...


@dataclass(frozen=True, eq=False)
class FittedLaw:
    """A fitted law.

    Args:
        form: its shape.
        parameters: (t, p) parameters of every target; their meaning is told by the form.
        ridge: penalty that was used.
    """

    form: Form
    parameters: FloatArray
    ridge: float

    def predict(self, weights: FloatArray, /) -> FloatArray:
        """(n, t) values of (n, d) mixtures, in the unit of the targets."""
        at_once = max(SLOPES // self.parameters.size, 1)
        parts = [weights[first : first + at_once] for first in range(0, max(len(weights), 1), at_once)]
        return np.concatenate([self.form.model(part)(self.parameters)[0].T for part in parts])

    def jacobian(self, weights: FloatArray, /) -> FloatArray:
        """(n, t, d) derivatives."""
        return self.form.jacobian(self.parameters, weights)

    def dump(self) -> JsonObject:
        """Parameters as JSON."""
        return {
            "schema": SCHEMA,
            "law": self.form.name,
            "parameters": self.parameters.tolist(),
            "ridge": self.ridge,
        }


@dataclass(frozen=True)
class Law(ABC):
    """Hyperparameters that every law has; a law adds its form.

    Args:
        ridge: strength of the pull towards a constant, for residuals in units of the standard
            deviation of the values; "auto" chooses it by cross-validation.
        huber_delta: residual beyond which the loss grows linearly, in the same unit.
        raw_residuals: measure residuals in nats and not in standard deviations, as published recipes do.
    """

    ridge: float | Literal["auto"] = "auto"
    huber_delta: float = 1.0
    raw_residuals: bool = False

    def __post_init__(self) -> None:
        if self.ridge != "auto" and not (np.isfinite(self.ridge) and self.ridge >= 0):
            raise InvalidInputError(f"ridge is {self.ridge!r}: use a finite value >= 0, or 'auto'")
        if not self.huber_delta > 0:
            raise InvalidInputError(f"huber_delta is {self.huber_delta!r}: use a value > 0")

    @property
    @abstractmethod
    def form(self) -> Form:
        """The shape that is fitted to every target."""

    @property
    def finalists(self) -> float:
        """How many starts of each target are refined to the end, after a few steps of them all.

        All of them unless a law says otherwise: shapes with many minima change places late.
        """
        return math.inf

    def fit(self, swarm: Swarm, /, *, rng: np.random.Generator) -> FittedLaw:
        """Fit every target of a swarm.

        Raises:
            SwarmTooSmallError: fewer runs than parameters of a target.
            RunsAlikeError: all runs have one mixture.
            FitError: a target is negative, or no start led to finite parameters.
        """
        if swarm.values.min() < 0:
            target = swarm.targets[int(swarm.values.min(axis=0).argmin())]
            raise FitError(
                f"target {target!r} has the value {swarm.values.min():.6g}, and the {self.form.name} law "
                "describes losses >= 0 alone: add a constant to the target, or use a regressor"
            )
        d = len(swarm.domains)
        needed = self.form.size(d)
        if len(swarm) < needed:
            raise SwarmTooSmallError(
                method=f"the {self.form.name} law with {d} domains", needed=needed, got=len(swarm)
            )
        require_mixtures(swarm, method=f"the {self.form.name} law")
        ridge = self._choose_ridge(swarm, rng) if self.ridge == "auto" else self.ridge
        return FittedLaw(self.form, frozen(self._fits(swarm, [ridge])[0]), float(ridge))

    def settled(self, fitted: FittedLaw) -> Self:
        """The same law with the ridge that a fit of it used."""
        return replace(self, ridge=fitted.ridge)

    def load(self, raw: JsonObject, /) -> FittedLaw:
        """Rebuild a fitted law from its dump."""
        if raw.get("law") != self.form.name or raw.get("schema") != SCHEMA:
            raise StateError(f"not a dump of the {self.form.name} law, schema {SCHEMA}: {raw.get('law')!r}")
        return FittedLaw(self.form, frozen(raw["parameters"]), float(raw["ridge"]))

    def _fits(self, swarm: Swarm, ridges: Sequence[float]) -> FloatArray:
        """(r, t, p) best parameters over all starts for each ridge, in one batch."""
        starts = self.form.starts(swarm.weights, swarm.values)
        (count, t, p), r = starts.shape, len(ridges)
        y = np.tile(swarm.values.T, (r * count, 1))
        batch = self._batch(swarm, y, np.ones_like(y), np.repeat(ridges, count * t))
        model = self.form.model(swarm.weights)
        theta, rows = np.tile(starts.reshape(count * t, p), (r, 1)), np.arange(r * count * t)
        if self.finalists < count:
            theta, objective = minimise(model, theta, batch, iterations=_SCREENING)
            ahead = np.argsort(objective.reshape(r, count, t), axis=1, kind="stable")
            rows = (rows.reshape(r, count, t)[:, :1] + t * ahead[:, : int(self.finalists)]).reshape(-1)
        theta, objective = minimise(model, theta[rows], batch.rows(rows))
        by_start = objective.reshape(r, -1, t)
        winners = by_start.argmin(axis=1)[:, None, :, None]
        chosen = np.take_along_axis(theta.reshape(r, -1, t, p), winners, axis=1)[:, 0]
        if not np.all(np.isfinite(by_start.min(axis=1))) or not np.all(np.isfinite(chosen)):
            raise FitError(f"the {self.form.name} law found no finite fit: check the targets for outliers")
        return np.asarray(chosen)

    def _batch(self, swarm: Swarm, y: FloatArray, mask: FloatArray, ridge: FloatArray) -> Batch:
        d = len(swarm.domains)
        spread = swarm.values.std(axis=0)
        unit = np.ones_like(spread) if self.raw_residuals else np.where(spread > 0, spread, 1.0)
        return Batch(
            y=y,
            mask=mask,
            scale=np.tile(unit, len(y) // len(unit)),
            delta=self.huber_delta,
            ridge=ridge,
            penalty=self.form.penalty(d),
            lower=self.form.lower(d),
        )

    def _choose_ridge(self, swarm: Swarm, rng: np.random.Generator) -> float:
        """The ridge whose held-out residuals are smallest, summed over targets in units of their spread."""
        if len(swarm) > RIDGE_RUNS:
            swarm = swarm.take(np.sort(rng.permutation(len(swarm))[:RIDGE_RUNS]))
        t = len(swarm.targets)
        folds = _folds(swarm.weights, rng)
        kept = (folds[None, :] != np.arange(folds.max() + 1)[:, None]).astype(np.float64)
        model, width = self.form.model(swarm.weights), len(kept) * t
        y, mask = np.tile(swarm.values.T, (len(kept), 1)), np.repeat(kept, t, axis=0)
        # All ridges and folds are one batch: many small fits cost little more than one.
        start = np.concatenate([np.tile(found, (len(kept), 1)) for found in self._fits(swarm, RIDGES)])
        every, ridges = len(RIDGES), np.repeat(RIDGES, width)
        batch = self._batch(swarm, np.tile(y, (every, 1)), np.tile(mask, (every, 1)), ridges)
        theta, _ = minimise(model, start, batch, iterations=60, tolerance=1e-6)
        scores = []
        for found in np.split(theta, every):
            values, _ = model(found)
            held_out = np.abs((values - y) / batch.scale[:width, None]) * (1 - mask)
            scores.append(float(np.minimum(held_out, _WORST).sum()))
        return RIDGES[int(np.argmin(scores))]


def _folds(weights: FloatArray, rng: np.random.Generator) -> IntArray:
    """(n,) fold of each run; repeats of a mixture share one, or a twin that stays tells the value."""
    _, first, groups = np.unique(mixture_numbers(weights), return_index=True, return_inverse=True)
    fold_of_mixture = rng.permutation(len(first)) % min(len(first), FOLDS)
    # Mixtures take their folds in order of appearance, runs that are all distinct in their own order.
    return np.asarray(fold_of_mixture[np.argsort(np.argsort(first))[groups]])


def floors(values: FloatArray, *, count: int) -> FloatArray:
    """(count, t) floors to start from, below the smallest of (n, t) values.

    Their gaps go from a hundredth of a target's spread to the whole of its value, evenly in logarithm.
    """
    lowest = values.min(axis=0)
    spread = spreads(values)
    reach = np.maximum(np.abs(lowest), 2 * spread)
    gaps = np.exp(np.linspace(np.log(0.01 * spread), np.log(reach), count))
    return np.asarray(np.maximum(lowest - gaps, 0.0))


def spreads(values: FloatArray) -> FloatArray:
    """(t,) standard deviations of (n, t) values, kept off zero."""
    return np.asarray(np.maximum(values.std(axis=0), 1e-9 * np.maximum(np.abs(values.min(axis=0)), 1.0)))
