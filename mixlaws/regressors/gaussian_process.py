"""Gaussian process on roots of the weights, one per target.

    log(y - c) = m + f(z) + noise,    z = (w^(1/q) - centre) / spread,
    k(z, z') = s^2 [ M(r) + b z · z' ],    r^2 = sum_j (z_j - z'_j)^2 / l_j^2,

with M the Matérn function of smoothness 5/2 or 3/2. On roots a step from 0 to 0.01 counts as much as one
from 0.25 to 0.36 (q = 2): domains with small shares matter, and the map is smooth down to zero where a
logarithm is not. Every target has a length for every domain, since it answers to few of them; the linear
part carries trends beyond the data. The floor c below the data is 0, or found with the rest: then values
of any sign will do. Where c is 0 and a value is not positive, y is fitted as it is.

Lengths, b, c and the share of noise maximise the likelihood times a prior (as in Hvarfner et al. 2024,
arXiv:2402.02229: lengths grow with sqrt(d), without which a dozen lengths cannot be told from thirty
runs); s^2 is profiled out. Gradients are analytic. A dump holds runs and parameters, and no pickle.
"""

from dataclasses import dataclass
from functools import partial
from typing import Literal

import numpy as np

from mixlaws.arrays import FloatArray, JsonObject, frozen
from mixlaws.errors import SwarmTooSmallError
from mixlaws.parallel import over_targets
from mixlaws.regressors.kernel import Smoothness
from mixlaws.regressors.law_mean import LawMeanPredictor, LawName, fit_around, load_around
from mixlaws.regressors.process import GaussianProcessPredictor, roots
from mixlaws.regressors.repeats import Gathered, gathered, ungathered
from mixlaws.regressors.tuning import Kernel, Observed, tuned
from mixlaws.swarm import Swarm, require_mixtures

MINIMUM_RUNS = 4


@dataclass(frozen=True)
class GaussianProcess:
    """Hyperparameters; all else is chosen by the likelihood and its prior.

    Args:
        root: q; 1 takes weights as they are, larger ones tell small shares apart.
        smoothness: of the Matérn function.
        linear: whether the kernel has a linear part.
        floor: whether c is found with the rest, or 0.
        tuning_runs: runs that lengths are tuned on, at most; they are known well before their cost, the
            cube of that number, is felt.
        mean: what the process deviates from: a constant, or a law that is fitted first and carries the
            prediction on beyond the runs.
        noise: "equal" takes every run for itself, and all for equally noisy; "repeats" gathers the runs of
            a mixture, with the noise that they show among themselves.
    """

    root: Literal[1, 2, 4] = 2
    smoothness: Smoothness = "5/2"
    linear: bool = True
    floor: bool = False
    tuning_runs: int = 256
    mean: Literal["constant"] | LawName = "constant"
    noise: Literal["equal", "repeats"] = "equal"

    def fit(
        self, swarm: Swarm, /, *, rng: np.random.Generator
    ) -> GaussianProcessPredictor | LawMeanPredictor:
        """Fit every target.

        Raises:
            SwarmTooSmallError: fewer than four runs, or too few for the law.
            RunsAlikeError: all runs have one mixture.
            FitError: a value is not positive, and the mean is a law.
        """
        if len(swarm) < MINIMUM_RUNS:
            raise SwarmTooSmallError(method="a Gaussian process", needed=MINIMUM_RUNS, got=len(swarm))
        require_mixtures(swarm, method="a Gaussian process")
        if self.mean == "constant":
            return self._process(swarm, rng)
        return fit_around(self.mean, partial(self._process, rng=rng), swarm, rng=rng)

    def load(self, raw: JsonObject, /) -> GaussianProcessPredictor | LawMeanPredictor:
        """Rebuild a predictor from its dump."""
        return load_around(raw) if "law" in raw and "process" in raw else GaussianProcessPredictor.load(raw)

    def _process(self, swarm: Swarm, rng: np.random.Generator) -> GaussianProcessPredictor:
        rows = gathered(swarm) if self.noise == "repeats" else ungathered(swarm.weights, swarm.values)
        return self.fitted(rows, rng=rng)

    def fitted(
        self, rows: Gathered, /, *, others: int = 0, rng: np.random.Generator
    ) -> GaussianProcessPredictor:
        """Fit rows of which the last columns, `others`, are no shares.

        Those are any coordinates >= 0, whose roots stay in the unit that they have.
        """
        at = roots(rows.weights, self.root)
        centre, spread = at.mean(axis=0), _off_zero(at.std(axis=0), at)
        spread[len(spread) - others :] = 1.0
        z = (at - centre) / spread
        part = np.sort(rng.permutation(len(z))[: self.tuning_runs])
        varies = np.ptp(rows.values, axis=0) > 1e-9 * np.abs(rows.values).max(axis=0)
        has_floor = varies & self.floor
        lowest = np.where(has_floor, rows.values.min(axis=0), np.nan)
        tune = partial(_tuned, z[part], self.smoothness, linear=self.linear)
        targets = [
            Observed(rows.values[part, t], rows.count[part], rows.ratio[part, t], rows.scatter[part, t])
            for t in range(rows.values.shape[1])
        ]
        kernels = over_targets(tune, list(zip(targets, lowest.tolist(), strict=True)))
        floor = np.where(has_floor, [kernel.floor for kernel in kernels], 0.0)
        logarithmic = has_floor | np.all(rows.values > 0, axis=0)
        values = np.where(logarithmic, np.log(np.where(logarithmic, rows.values - floor, 1.0)), rows.values)
        mean, scale = values.mean(axis=0), _off_zero(values.std(axis=0), values)
        return GaussianProcessPredictor(
            weights=frozen(rows.weights),
            values=frozen((values - mean) / scale),
            logarithmic=frozen(logarithmic.astype(np.float64)),
            floor=frozen(floor),
            mean=frozen(mean),
            scale=frozen(scale),
            centre=frozen(centre),
            spread=frozen(spread),
            length=frozen(np.array([kernel.length for kernel in kernels])),
            linear=frozen(np.array([kernel.linear for kernel in kernels])),
            noise=frozen(np.array([kernel.noise for kernel in kernels])),
            amplitude=frozen(np.array([kernel.amplitude for kernel in kernels])),
            relative=frozen(rows.ratio / rows.count[:, None]),
            row=rows.row,
            root=self.root,
            smoothness=self.smoothness,
        )


@dataclass(frozen=True)
class RoughGaussianProcess(GaussianProcess):
    """The process for sharp bends towards small weights: fourth roots, a rougher kernel and a floor."""

    root: Literal[1, 2, 4] = 4
    smoothness: Smoothness = "3/2"
    linear: bool = False
    floor: bool = True


def _tuned(z: FloatArray, smoothness: Smoothness, target: tuple[Observed, float], *, linear: bool) -> Kernel:
    observed, lowest = target
    return tuned(z, observed, smoothness, linear=linear, floor_below=None if np.isnan(lowest) else lowest)


def _off_zero(deviation: FloatArray, values: FloatArray) -> FloatArray:
    """Deviations to divide by: 1 for a column that does not vary beyond rounding."""
    return np.where(deviation > 1e-12 * np.maximum(np.abs(values).max(axis=0), 1e-300), deviation, 1.0)
