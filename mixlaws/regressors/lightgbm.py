"""Boosted trees of RegMix, one ensemble per target.

Source: Liu et al. 2024, arXiv:2407.01492; hyperparameters from the published notebook: 1000 rounds of
learning rate 0.01, everything else the library's default. Its default leaf of 20 runs returns a constant
on fewer than 40 runs, silently, hence `min_data_in_leaf` follows the swarm unless it is given.
"""

import math
from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from typing import Any

import lightgbm
import numpy as np

from mixlaws.arrays import FloatArray, JsonObject
from mixlaws.errors import InvalidInputError, StateError, SwarmTooSmallError
from mixlaws.parallel import over_targets
from mixlaws.swarm import Swarm

SCHEMA = 1
MINIMUM_RUNS = 8  # two leaves of two runs, twice: below that trees are a constant


@dataclass(frozen=True, eq=False)
class LightGbmPredictor:
    """Fitted ensembles as LightGBM's own text format, one per target."""

    models: tuple[str, ...]

    def __post_init__(self) -> None:
        object.__setattr__(
            self, "_boosters", tuple(lightgbm.Booster(model_str=model) for model in self.models)
        )

    def predict(self, weights: FloatArray, /) -> FloatArray:
        """(n, t) targets of (n, d) mixtures; piecewise constant, so that ties are common."""
        boosters: tuple[lightgbm.Booster, ...] = self._boosters  # type: ignore[attr-defined]
        return np.stack([np.asarray(booster.predict(weights, num_threads=1)) for booster in boosters], axis=1)

    def dump(self) -> JsonObject:
        """Ensembles as JSON."""
        return {"schema": SCHEMA, "regressor": "lightgbm", "models": list(self.models)}


@dataclass(frozen=True)
class LightGbm:
    """Hyperparameters of the ensembles.

    Args:
        rounds: trees per target; the largest number if `fit` stops early.
        learning_rate: shrinkage of each tree.
        min_data_in_leaf: runs that a leaf needs; None takes n / 16, from 2 to 20.
        seed: seed of the library; part of the published recipe.
        patience: rounds without improvement on the validation swarm after which to stop; as published, the
            first of absolute and squared error that ceases to fall stops it.
    """

    rounds: int = 1000
    learning_rate: float = 0.01
    min_data_in_leaf: int | None = None
    seed: int = 42
    patience: int = 3

    def __post_init__(self) -> None:
        if self.rounds < 1 or self.patience < 1:
            raise InvalidInputError(f"rounds {self.rounds}, patience {self.patience}: need at least 1")
        if not (np.isfinite(self.learning_rate) and self.learning_rate > 0):
            raise InvalidInputError(f"learning_rate is {self.learning_rate}: use a finite value > 0")
        if self.min_data_in_leaf is not None and self.min_data_in_leaf < 1:
            raise InvalidInputError(f"min_data_in_leaf is {self.min_data_in_leaf}: use at least 1, or None")

    def fit(
        self, swarm: Swarm, /, *, rng: np.random.Generator | None = None, validation: Swarm | None = None
    ) -> LightGbmPredictor:
        """Fit every target.

        Args:
            swarm: the runs to fit.
            rng: not used: the seed is a hyperparameter, as in the recipe.
            validation: runs to stop early on. Never the runs that a score is claimed on; the published
                table of RegMix does just that, and only its reproduction may pass them here.

        Raises:
            SwarmTooSmallError: fewer than eight runs.
        """
        del rng
        if len(swarm) < MINIMUM_RUNS:
            raise SwarmTooSmallError(method="LightGBM", needed=MINIMUM_RUNS, got=len(swarm))
        parameters = {
            "objective": "regression",
            "metric": ["l1", "l2"],
            "learning_rate": self.learning_rate,
            "min_data_in_leaf": self.min_data_in_leaf or min(20, max(2, math.ceil(len(swarm) / 16))),
            "seed": self.seed,
            "num_threads": 1,
            "deterministic": True,
            "force_row_wise": True,
            "verbosity": -1,
        }
        fit_target = partial(self._fit_target, parameters, swarm, validation)
        return LightGbmPredictor(tuple(over_targets(fit_target, range(len(swarm.targets)))))

    def load(self, raw: JsonObject, /) -> LightGbmPredictor:
        """Rebuild a predictor from its dump."""
        if raw.get("regressor") != "lightgbm" or raw.get("schema") != SCHEMA:
            raise StateError(f"not a dump of LightGBM, schema {SCHEMA}: {raw.get('regressor')!r}")
        return LightGbmPredictor(tuple(raw["models"]))

    def _fit_target(
        self, parameters: dict[str, object], swarm: Swarm, validation: Swarm | None, target: int
    ) -> str:
        data = lightgbm.Dataset(swarm.weights, swarm.values[:, target])
        held_out = []
        callbacks: list[Callable[..., Any]] = []
        if validation is not None:
            held_out = [lightgbm.Dataset(validation.weights, validation.values[:, target], reference=data)]
            callbacks = [lightgbm.early_stopping(self.patience, verbose=False)]
        booster = lightgbm.train(
            parameters, data, num_boost_round=self.rounds, valid_sets=held_out, callbacks=callbacks
        )
        best = booster.best_iteration if validation is not None else self.rounds
        return str(booster.model_to_string(num_iteration=best))
