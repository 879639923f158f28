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

from dataclasses import dataclass, replace
from functools import cached_property
from typing import ClassVar, Literal

import numpy as np

from mixlaws.arrays import FloatArray, JsonObject
from mixlaws.errors import StateError, SwarmTooSmallError
from mixlaws.laws.curves import check_scale
from mixlaws.levels import Levels, fit_levels
from mixlaws.regressors.gaussian_process import (
    MINIMUM_RUNS,
    GaussianProcess,
    GaussianProcessPredictor,
    RoughGaussianProcess,
)
from mixlaws.scales import Scale, scales_of
from mixlaws.swarm import Swarm, require_mixtures

SCHEMA = 1


@dataclass(frozen=True, eq=False)
class MultiScalePredictor:
    """A fitted process over mixtures and scales.

    Args:
        process: of values moved to the largest scale, over rows of a mixture and its scale.
        levels: level and gain of every scale.
        scale: what is predicted for.
    """

    process: GaussianProcessPredictor
    levels: Levels
    scale: Scale

    @property
    def model_parameters(self) -> float | None:
        """Model size that is predicted for."""
        return self.scale.model_parameters

    @property
    def tokens(self) -> float | None:
        """Length of training that is predicted for."""
        return self.scale.tokens

    def at(
        self, *, model_parameters: float | None = None, tokens: float | None = None
    ) -> "MultiScalePredictor":
        """The predictor for another scale; what is not named stays as it is.

        Raises:
            InvalidInputError: runs say nothing of that scale, or a value is not positive.
        """
        wanted = rescaled(self.scale, model_parameters=model_parameters, tokens=tokens)
        self.levels.at(wanted)
        return replace(self, scale=wanted)

    def predict(self, weights: FloatArray, /) -> FloatArray:
        """(n, t) targets of (n, d) mixtures at the scale, in the unit of the targets."""
        return self.levels.from_largest(self.process.predict(self.rows(weights, self.scale)), self.scale)

    def jacobian(self, weights: FloatArray, /) -> FloatArray:
        """(n, t, d) derivatives of the predictions."""
        rows = self.rows(weights, self.scale)
        slopes = self.process.jacobian(rows)[:, :, : weights.shape[1]]
        return self._worth(rows)[:, :, None] * slopes

    def deviation(self, weights: FloatArray, /) -> FloatArray:
        """(n, t) standard deviations of the noise-free targets."""
        rows = self.rows(weights, self.scale)
        return self._worth(rows) * self.process.deviation(rows)

    def sample(self, weights: FloatArray, /, *, count: int, rng: np.random.Generator) -> FloatArray:
        """(count, n, t) joint draws of the noise-free targets."""
        draws = self.process.sample(self.rows(weights, self.scale), count=count, rng=rng)
        return self.levels.from_largest(draws, self.scale)

    def rows(self, weights: FloatArray, scale: Scale, /) -> FloatArray:
        """(n, d + 2) rows of the process for mixtures at a scale."""
        return extended(weights, [scale] * len(weights), self.process.root)

    def dump(self) -> JsonObject:
        """All of it as JSON, with the scale that it predicts for."""
        return {
            "schema": SCHEMA,
            "regressor": "multi_scale",
            **self.scale._asdict(),
            "levels": self.levels.dump(),
            "process": self.process.dump(),
        }

    def _worth(self, rows: FloatArray) -> FloatArray:
        return self.levels.worth(self.process.predict(rows), self.scale)


@dataclass(frozen=True)
class MultiScale:
    """Hyperparameters.

    Args:
        kernel: "smooth" or "rough", as the Gaussian processes of one scale are.
    """

    scales: ClassVar[frozenset[str]] = frozenset({"model_parameters", "tokens"})  # of a swarm that it knows

    kernel: Literal["smooth", "rough"] = "smooth"

    @cached_property
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
            process.fitted(rows, moved, rng=process_rng), levels, levels.scales[-1]
        )

    def load(self, raw: JsonObject, /) -> MultiScalePredictor:
        """Rebuild a predictor from its dump."""
        if raw.get("regressor") != "multi_scale" or raw.get("schema") != SCHEMA:
            raise StateError(f"not a dump of multi_scale, schema {SCHEMA}: {raw.get('regressor')!r}")
        process = GaussianProcess().load(raw["process"])
        scale = Scale(raw["model_parameters"], raw["tokens"])
        return MultiScalePredictor(process, Levels.load(raw["levels"]), scale)


def extended(weights: FloatArray, scales: list[Scale], root: int) -> FloatArray:
    """(n, d + 2) mixtures with logarithms of their scales, raised so that the process' root gives them back."""
    logs = np.log([[part or 1.0 for part in scale] for scale in scales]).reshape(len(weights), -1)
    return np.column_stack([weights, logs**root])


def rescaled(scale: Scale, *, model_parameters: float | None, tokens: float | None) -> Scale:
    """A scale with what is named in place of its own.

    Raises:
        InvalidInputError: a value is not positive.
    """
    named = {"model_parameters": model_parameters, "tokens": tokens}
    told = {name: check_scale(name, value) for name, value in named.items() if value is not None}
    return scale._replace(**told)
