"""Runs of several model sizes and lengths of training, fitted together: level, gain and one shape.

    log y = level_s + gain_s · f(w, log N, log D) + noise

Level and gain of every scale are taken away first (`mixlaws.levels`); f is a Gaussian process over mixtures
and scales at once, with a length for each domain and for each part of the scale, so that the runs say how
fast the shape changes with the scale and hence how much a small run tells of a large one. The idea is that
of multi-fidelity modelling (Kennedy and O'Hagan 2000; for mixtures ADMIRE-BayesOpt, Chen et al. 2025,
arXiv:2508.11551, unverified); one kernel over both in place of a chain of processes needs no order of scales
and no mixtures in common.

A predictor holds for one scale, the largest that was run unless `at` names another. Deviations are of f and
of nothing else: that of a level at a scale that was not run is not in them.
"""

from dataclasses import dataclass
from typing import ClassVar, Literal

import numpy as np

from mixlaws.arrays import FloatArray, JsonObject
from mixlaws.errors import StateError, SwarmTooSmallError
from mixlaws.levels import Levels, fit_levels
from mixlaws.moved import MovedPredictor
from mixlaws.regressors.gaussian_process import MINIMUM_RUNS, GaussianProcess, RoughGaussianProcess
from mixlaws.regressors.process import GaussianProcessPredictor
from mixlaws.regressors.repeats import ungathered
from mixlaws.scales import Scale, scales_of
from mixlaws.swarm import Swarm, require_mixtures

SCHEMA = 1
_UNIT = 3.0  # e-folds of a size or length: until runs say more, scales so far apart correlate by .96


@dataclass(frozen=True, eq=False)
class MultiScalePredictor(MovedPredictor):
    """A fitted process over mixtures and scales."""

    inner: GaussianProcessPredictor

    def rows(self, weights: FloatArray, /) -> FloatArray:
        """(n, d + 2) rows of the process for mixtures at the scale."""
        return extended(weights, [self.scale] * len(weights), self.inner.root)

    def dump(self) -> JsonObject:
        """All of it as JSON, with the scale that it predicts for."""
        return {
            "schema": SCHEMA,
            "regressor": "multi_scale",
            **self.scale._asdict(),
            "levels": self.levels.dump(),
            "process": self.inner.dump(),
        }


@dataclass(frozen=True)
class MultiScale:
    """Hyperparameters.

    Args:
        kernel: "smooth" or "rough", as the Gaussian processes of one scale are.
    """

    scales: ClassVar[frozenset[str]] = frozenset({"model_parameters", "tokens"})  # of a swarm that it knows

    kernel: Literal["smooth", "rough"] = "smooth"

    @property
    def _process(self) -> GaussianProcess:
        return GaussianProcess() if self.kernel == "smooth" else RoughGaussianProcess()

    def fit(self, swarm: Swarm, /, *, rng: np.random.Generator) -> MultiScalePredictor:
        """Fit all targets; predictions are for the largest scale of the swarm.

        Raises:
            SwarmTooSmallError: fewer than four runs, or no scale has four distinct mixtures.
            RunsAlikeError: all runs have one mixture.
        """
        if len(swarm) < MINIMUM_RUNS:
            raise SwarmTooSmallError(method="a fit of several scales", needed=MINIMUM_RUNS, got=len(swarm))
        require_mixtures(swarm, method="a fit of several scales")
        levels_rng, process_rng = rng.spawn(2)
        levels = fit_levels(swarm, rng=levels_rng)
        _, numbers = scales_of(swarm)
        process = self._process
        rows = extended(swarm.weights, [levels.scales[number] for number in numbers], process.root)
        moved = levels.to_largest(swarm.values, numbers)
        return MultiScalePredictor(
            process.fitted(ungathered(rows, moved), others=2, rng=process_rng), levels, levels.scales[-1]
        )

    def load(self, raw: JsonObject, /) -> MultiScalePredictor:
        """Rebuild a predictor from its dump."""
        if raw.get("regressor") != "multi_scale" or raw.get("schema") != SCHEMA:
            raise StateError(f"not a dump of multi_scale, schema {SCHEMA}: {raw.get('regressor')!r}")
        process = GaussianProcessPredictor.load(raw["process"])
        scale = Scale(raw["model_parameters"], raw["tokens"])
        return MultiScalePredictor(process, Levels.load(raw["levels"]), scale)


def extended(weights: FloatArray, scales: list[Scale], root: int) -> FloatArray:
    """(n, d + 2) mixtures with logarithms of their scales, raised for the process to take the root of."""
    logs = np.log([[part or 1.0 for part in scale] for scale in scales]).reshape(len(weights), -1)
    return np.column_stack([weights, (logs / _UNIT) ** root])
