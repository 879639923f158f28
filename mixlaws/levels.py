"""Level and gain of every scale: what model size and length of training do to a target.

    log y = level_s + gain_s · shape(w),        s a scale, shape in units of the largest one

for each target; y itself where a target is not always positive. A change of scale shifts a loss by far more
than mixtures differ, and stretches a little what they differ by; that done, runs of all scales tell of one
shape, which changes slowly with the scale. Level and gain are free for each scale that was run. The gain is
drawn to 1 as if by five runs that say so, since a few large runs hardly determine it.

At a scale that was not run, the level follows a power law of what varies, with exponents that all targets
share and that are drawn to .3 (published ones are .28 to .37; Hoffmann et al. 2022, arXiv:2203.15556, and
its refit, arXiv:2404.10102), and the gain is that of the nearest scale:

    level = log(E + A / N^a + B / D^b),        E, A, B >= 0
"""

from dataclasses import dataclass, replace
from itertools import product

import numpy as np
from scipy.optimize import nnls

from mixlaws.arrays import BoolArray, FloatArray, IntArray, JsonObject, frozen
from mixlaws.errors import InvalidInputError, SwarmTooSmallError
from mixlaws.regressors.gaussian_process import MINIMUM_RUNS, GaussianProcess
from mixlaws.regressors.repeats import ungathered
from mixlaws.scales import ALIKE, NAMES, Scale, scales_of
from mixlaws.swarm import Swarm, mixture_numbers

_TUNING_RUNS = 64  # a line through predictions asks less of them than predictions do
_DRAWN = 5.0  # runs that the pull of a gain to 1 counts as
_EXPONENTS = np.exp(np.linspace(np.log(0.05), np.log(1.5), 18))
_USUAL, _USUAL_SPREAD = np.log(0.3), 0.5  # of the logarithm of an exponent
_LEVEL_NOISE = 0.003  # relative: what a level may be off the power law without a say on its exponent


@dataclass(frozen=True, eq=False)
class Levels:
    """Fitted levels and gains.

    Args:
        scales: the k scales that were run, by compute, smallest first.
        level: (k, t) and gain: (k, t); of the largest scale 0 and 1.
        logarithmic: (t,) whether the logarithm of a target is meant.
        centre: (t,) the shape at which levels are continued to other scales.
    """

    scales: tuple[Scale, ...]
    level: FloatArray
    gain: FloatArray
    logarithmic: BoolArray
    centre: FloatArray

    def to_largest(self, values: FloatArray, numbers: IntArray, /) -> FloatArray:
        """(n, t) what runs of the scales (n,) would have measured at the largest scale."""
        return self._back((self._log(values) - self.level[numbers]) / self.gain[numbers])

    def from_largest(self, values: FloatArray, scale: Scale, /) -> FloatArray:
        """(..., t) values of the largest scale, told for another one."""
        level, gain = self.at(scale)
        return self._back(level + gain * self._log(values))

    def worth(self, values: FloatArray, scale: Scale, /) -> FloatArray:
        """(..., t) derivatives of `from_largest`."""
        _, gain = self.at(scale)
        there = self.from_largest(values, scale)
        return np.asarray(gain * np.where(self.logarithmic, there / values, 1.0))

    def moved(self, swarm: Swarm, /) -> Swarm:
        """The runs with what they would have measured at the largest scale; they keep their own scales."""
        _, numbers = scales_of(swarm)
        return replace(swarm, values=self.to_largest(swarm.values, numbers))

    def at(self, scale: Scale, /) -> tuple[FloatArray, FloatArray]:
        """(t,) level and gain at a scale.

        Raises:
            InvalidInputError: runs tell nothing of it.
        """
        number = self.number(scale)
        if number is not None:
            return self.level[number], self.gain[number]
        axes = self._axes(scale)
        logs = np.log([[float(own[axis] or 1.0) for axis in axes] for own in self.scales])
        there = np.log([float(scale[axis] or 1.0) for axis in axes])
        gain = self.gain[int(np.abs(logs - there).sum(axis=1).argmin())]
        told = self._back(self.level + self.gain * self.centre)
        return self._log(_continued(logs - there, told, self.logarithmic)) - gain * self.centre, gain

    def number(self, scale: Scale, /) -> int | None:
        """Number of a scale that was run; None for another one."""
        for number, own in enumerate(self.scales):
            if all(a == b or (a and b and abs(a / b - 1) <= ALIKE) for a, b in zip(own, scale, strict=True)):
                return number
        return None

    def dump(self) -> JsonObject:
        """As JSON."""
        arrays = {name: getattr(self, name).tolist() for name in ("level", "gain", "logarithmic", "centre")}
        return {"scales": [list(scale) for scale in self.scales], **arrays}

    @classmethod
    def load(cls, raw: JsonObject) -> "Levels":
        """From JSON."""
        scales = tuple(Scale(*scale) for scale in raw["scales"])
        level, gain, centre = (frozen(raw[name]) for name in ("level", "gain", "centre"))
        return cls(scales, level, gain, np.array(raw["logarithmic"], dtype=np.bool_), centre)

    def _axes(self, scale: Scale) -> list[int]:
        """Parts of a scale that runs differ in; the others must be as they were."""
        axes = []
        for axis, (name, words) in enumerate(NAMES.items()):
            known = [own[axis] for own in self.scales]
            if len(set(known)) > 1:
                axes.append(axis)
            elif known[0] != scale[axis]:
                told = "none tells its own" if known[0] is None else f"all have {known[0]:.4g}"
                raise InvalidInputError(
                    f"{name} is {scale[axis]}, and runs say nothing of other {words}, as {told}: leave it "
                    "out, or add runs that differ in it"
                )
        return axes

    def _log(self, values: FloatArray) -> FloatArray:
        return np.where(self.logarithmic, np.log(np.where(self.logarithmic, values, 1.0)), values)

    def _back(self, values: FloatArray) -> FloatArray:
        return np.where(self.logarithmic, np.exp(np.where(self.logarithmic, values, 0.0)), values)


def fit_levels(swarm: Swarm, /, *, rng: np.random.Generator) -> Levels:
    """Level and gain of every scale, by lines through a Gaussian process of the shape.

    The process sees the scale with the most mixtures first, and then all runs in its units.

    Raises:
        SwarmTooSmallError: no scale has four distinct mixtures.
    """
    scales, numbers = scales_of(swarm)
    k, t = len(scales), len(swarm.targets)
    level, gain = np.zeros((k, t)), np.ones((k, t))
    found = Levels(scales, level, gain, np.all(swarm.values > 0, axis=0), np.zeros(t))
    raw = found._log(swarm.values)
    if k > 1:
        reference = _reference(swarm, numbers)
        for rows in (numbers == reference, np.ones(len(swarm), dtype=np.bool_)):
            values = found.to_largest(swarm.values, numbers)
            shape = found._log(_shape(swarm.weights, values, rows, rng))
            for s in set(range(k)) - {reference}:
                level[s], gain[s] = _line(shape[numbers == s], raw[numbers == s], shape.var(axis=0))
        # Told of the reference so far; from now on of the largest scale.
        level, gain = level - gain / gain[-1] * level[-1], gain / gain[-1]
    centre = ((raw - level[numbers]) / gain[numbers]).mean(axis=0)
    return replace(found, level=frozen(level), gain=frozen(gain), centre=frozen(centre))


def _reference(swarm: Swarm, numbers: IntArray) -> int:
    """The scale with the most distinct mixtures, the larger one of equals."""
    mixtures = mixture_numbers(swarm.weights)
    counts = [len(np.unique(mixtures[numbers == s])) for s in range(int(numbers.max()) + 1)]
    if max(counts) < MINIMUM_RUNS:
        raise SwarmTooSmallError(
            method="a fit of several scales, for distinct mixtures of one scale,",
            needed=MINIMUM_RUNS,
            got=max(counts),
        )
    return max(range(len(counts)), key=lambda s: (counts[s], s))


def _shape(weights: FloatArray, values: FloatArray, rows: BoolArray, rng: np.random.Generator) -> FloatArray:
    process = GaussianProcess(tuning_runs=_TUNING_RUNS)
    return process.fitted(ungathered(weights[rows], values[rows]), rng=rng.spawn(1)[0]).predict(weights)


def _line(shape: FloatArray, raw: FloatArray, variance: FloatArray) -> tuple[FloatArray, FloatArray]:
    """(t,) level and gain of the line through (n, t) values of one scale."""
    across, up = shape - shape.mean(axis=0), raw - raw.mean(axis=0)
    pull = _DRAWN * np.maximum(variance, 1e-24)
    # A scale may stretch what mixtures differ by, and never turn it round.
    gain = np.maximum(((across * up).sum(axis=0) + pull) / ((across**2).sum(axis=0) + pull), 0.1)
    return raw.mean(axis=0) - gain * shape.mean(axis=0), gain


def _continued(logs: FloatArray, told: FloatArray, positive: BoolArray) -> FloatArray:
    """(t,) values at the origin of a power law through (k, t) values at (k, a) logarithms of scales."""
    best, answer = np.inf, told[-1]
    for exponents in product(_EXPONENTS, repeat=logs.shape[1]):
        columns = np.column_stack([np.ones(len(logs)), np.exp(-logs * exponents)])
        penalty = float((((np.log(exponents) - _USUAL) / _USUAL_SPREAD) ** 2).sum())
        at_origin, misfit = np.empty(told.shape[1]), 0.0
        for t, values in enumerate(told.T):
            unit = float(np.abs(values).mean()) or 1.0
            amounts = nnls(columns, values)[0] if positive[t] else np.linalg.lstsq(columns, values)[0]
            at_origin[t] = amounts.sum()
            misfit += float((((columns @ amounts - values) / (unit * _LEVEL_NOISE)) ** 2).sum())
        if misfit + penalty < best:
            best, answer = misfit + penalty, at_origin
    return np.asarray(answer)
