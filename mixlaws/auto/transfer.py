"""Members of `auto` on runs of several scales: fitted in the units of the largest, and scored by transfer.

Runs are moved to the largest scale by level and gain (`mixlaws.levels`), found anew without each fold, so
that a member fits one shape to all of them. The transfer score asks what a decision for a larger model
asks: the member is fitted to the smaller scales alone, without the mixtures of a fold, and predicts the
largest scale's runs of these. Level and gain are nobody's merit there: scores are rank correlation, and R²
after the best increasing line.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

import numpy as np

from mixlaws.arrays import FloatArray, IntArray, JsonObject
from mixlaws.auto.held_out import HeldOut, hold_out
from mixlaws.auto.stack import SCHEMA, Row, Stack
from mixlaws.auto.stacking import standardised_errors
from mixlaws.errors import StateError
from mixlaws.estimator import AnyEstimator
from mixlaws.levels import Levels, fit_levels
from mixlaws.moved import MovedPredictor
from mixlaws.regressors.gaussian_process import MINIMUM_RUNS
from mixlaws.scales import Scale, scales_of
from mixlaws.swarm import Swarm, mixture_numbers
from mixlaws.validation import CrossValidation, affine_calibrated_r2, spearman

_LEAST_LARGE = 6  # distinct mixtures of the largest scale: fewer hardly tell members' ranks apart


@dataclass(frozen=True, eq=False)
class ScaledStack(MovedPredictor):
    """A stack of members that were fitted in the units of the largest scale."""

    inner: Stack
    held_out: CrossValidation | None = None

    @property
    def shares(self) -> Mapping[str, FloatArray]:
        """(t,) weights of the members, of each target summing to 1."""
        return self.inner.shares

    @property
    def freedom(self) -> float:
        """Degrees of freedom of the tails of errors."""
        return self.inner.freedom

    def opinions(self, weights: FloatArray, /) -> Mapping[str, tuple[FloatArray, FloatArray]]:
        """By member with a say: its (t,) shares, and what it predicts alone, (n, t), at the scale."""
        return {
            name: (share, self.levels.from_largest(said, self.scale))
            for name, (share, said) in self.inner.opinions(self.rows(weights)).items()
        }

    @property
    def table(self) -> Sequence[Row]:
        """The score table of the stack."""
        return self.inner.table

    @property
    def verdict(self) -> str:
        """What the table says, in one sentence."""
        return self.inner.verdict

    def dump(self) -> JsonObject:
        """Stack and levels as JSON, with the scale that is predicted for."""
        return {
            "schema": SCHEMA,
            "regressor": "auto",
            **self.scale._asdict(),
            "levels": self.levels.dump(),
            "stack": self.inner.dump(),
        }

    @classmethod
    def load(cls, raw: JsonObject) -> "ScaledStack":
        """Rebuild a stack of several scales from its dump."""
        if raw.get("regressor") != "auto" or raw.get("schema") != SCHEMA:
            raise StateError(f"not a dump of auto, schema {SCHEMA}: {raw.get('regressor')!r}")
        scale = Scale(raw["model_parameters"], raw["tokens"])
        return cls(Stack.load(raw["stack"]), Levels.load(raw["levels"]), scale)


@dataclass(frozen=True, eq=False)
class SeveralScales:
    """Runs of several scales, moved to the largest one.

    Args:
        swarm: the runs as they were.
        folds: (n,) fold of each run; a mixture is in one fold, at all its scales.
        levels: level and gain by all runs.
        moved: all runs, in units of the largest scale.
        parts: for each fold the runs outside of it, moved by what they tell themselves.
        smaller: the same without the largest scale; None where there are too few runs for it.
    """

    swarm: Swarm
    folds: IntArray
    levels: Levels
    moved: Swarm
    parts: Sequence[Swarm]
    smaller: Sequence[Swarm] | None

    @classmethod
    def split(cls, swarm: Swarm, folds: IntArray, *, rng: np.random.Generator) -> "SeveralScales":
        """Move runs, all of them and those outside of each fold.

        Raises:
            SwarmTooSmallError: no scale has four distinct mixtures.
        """
        scales, numbers = scales_of(swarm)
        largest = numbers == len(scales) - 1
        levels = fit_levels(swarm, rng=rng)
        kept = [np.flatnonzero(folds != fold) for fold in range(int(folds.max()) + 1)]
        below = [rows[~largest[rows]] for rows in kept]
        enough = _mixtures(swarm, np.flatnonzero(largest)) >= _LEAST_LARGE and all(
            max(_mixtures(swarm, rows[numbers[rows] == s]) for s in range(len(scales))) >= MINIMUM_RUNS
            for rows in below
        )
        return cls(
            swarm,
            folds,
            levels,
            levels.moved(swarm),
            [_moved(swarm.take(rows), levels, rng) for rows in kept],
            [_moved(swarm.take(rows), None, rng) for rows in below] if enough else None,
        )

    @property
    def largest(self) -> IntArray:
        """(l,) rows of the largest scale."""
        scales, numbers = scales_of(self.swarm)
        return np.flatnonzero(numbers == len(scales) - 1)

    def hold_out(
        self, estimator: AnyEstimator, swarm: Swarm, folds: IntArray, *, rng: np.random.Generator
    ) -> HeldOut:
        """Fit a method to moved runs, and predict each without it; by transfer too, if there are enough."""
        held_rng, transfer_rng = rng.spawn(2)
        found = hold_out(estimator, swarm, folds, rng=held_rng, parts=self.parts)
        if self.smaller is None:
            return found
        predicted = np.empty_like(swarm.values)
        for fold, fold_rng in enumerate(transfer_rng.spawn(len(self.smaller))):
            rows = folds == fold
            predictor = estimator.fit(self.smaller[fold], rng=fold_rng)
            predicted[rows] = predictor.predict(swarm.weights[rows])
        return replace(found, transfer=predicted[self.largest])

    def scored(self, row: Row, found: HeldOut, coefficients: FloatArray) -> Row:
        """A row of the score table with its transfer scores."""
        if found.transfer is None:
            return row
        measured = self.swarm.values[self.largest] @ coefficients
        predicted = found.transfer @ coefficients
        flat = row.member == "constant"  # its predictions tell which mixtures were left out, and nothing else
        return replace(
            row,
            transfer_spearman=None if flat else spearman(measured, predicted),
            transfer_r2=None if flat else affine_calibrated_r2(measured, predicted),
        )

    def transfer_errors(self, tried: Sequence[HeldOut], coefficients: FloatArray) -> FloatArray:
        """(m, l, t + 1) standardised errors by transfer, each target after its best increasing line."""
        values = self.swarm.values[self.largest]
        lined = [_lined(found.transfer, values) for found in tried if found.transfer is not None]
        return standardised_errors(np.array(lined), values, coefficients)

    def told(self, stack: Stack) -> ScaledStack:
        """A stack of moved runs for any scale, with held-out predictions in the units of each run."""
        scale, held_out = self.levels.scales[-1], stack.held_out
        if held_out is not None:
            _, numbers = scales_of(self.swarm)
            predicted = np.empty_like(self.swarm.values)
            for number, own in enumerate(self.levels.scales):
                rows = numbers == number
                predicted[rows] = self.levels.from_largest(held_out.predicted[rows], own)
            held_out = replace(
                held_out, measured=self.swarm.values, predicted=predicted, scales=numbers, deviation=None
            )
        verdict = f"{stack.verdict}; runs of {len(self.levels.scales)} scales, told for {scale}"
        return ScaledStack(replace(stack, verdict=verdict, held_out=None), self.levels, scale, held_out)


def _moved(part: Swarm, whole: Levels | None, rng: np.random.Generator) -> Swarm:
    """Runs moved by their own levels, or by those of all where their largest scale is another one."""
    own = fit_levels(part, rng=rng)
    if whole is not None and own.scales[-1] != whole.scales[-1]:
        _, numbers = scales_of(part)
        known = np.array([whole.number(scale) for scale in own.scales])
        return replace(part, values=whole.to_largest(part.values, known[numbers]))
    return own.moved(part)


def _mixtures(swarm: Swarm, rows: IntArray) -> int:
    return len(np.unique(mixture_numbers(swarm.weights)[rows]))


def _lined(predicted: FloatArray, values: FloatArray) -> FloatArray:
    across, up = predicted - predicted.mean(axis=0), values - values.mean(axis=0)
    spread = (across**2).sum(axis=0)
    slope = np.where(spread > 0, np.maximum((across * up).sum(axis=0), 0.0) / np.maximum(spread, 1e-300), 0.0)
    return np.asarray(values.mean(axis=0) + slope * across)
