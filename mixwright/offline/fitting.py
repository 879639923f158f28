"""One fit with its held-out scores: what `fit` shows and `propose` starts from."""

import time
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from typing import Any

import numpy as np

from mixlaws.arrays import FloatArray
from mixlaws.estimator import Predictor, SelfScoredPredictor
from mixlaws.registry import ESTIMATORS, for_objective
from mixlaws.scales import apart, check_known, holds_for
from mixlaws.swarm import Swarm
from mixlaws.swarm_notes import notes
from mixlaws.validation import CrossValidation, Scores, held_out, pooled_deviation
from mixwright.offline.hyperparameters import build

# The first of these that is registered is what fits unless a method is named.
_DEFAULTS = ("auto", "gaussian_process")


def default_method() -> str:
    """The method that fits unless another one is named."""
    return next(name for name in _DEFAULTS if name in ESTIMATORS)


@dataclass(frozen=True, eq=False)
class Fitted:
    """A predictor with what is known of its quality.

    Args:
        swarm: the runs that it was fitted to.
        method: its name in the registry, with the hyperparameters that were set.
        coefficients: (t,) of the objective, summing to 1.
        held_out: predictions of every run by fits that did not see it.
        noise: (t,) deviation of repeated runs and of the objective; None if nothing was repeated.
    """

    swarm: Swarm
    method: str
    params: Mapping[str, Any]
    seed: int
    coefficients: FloatArray
    predictor: Predictor
    held_out: CrossValidation
    noise: FloatArray | None
    objective_noise: float | None
    seconds: float

    @property
    def scores(self) -> dict[str, Scores]:
        """Held-out scores by target."""
        return dict(zip(self.swarm.targets, self.held_out.scores(), strict=True))

    @property
    def objective_scores(self) -> Scores:
        """Held-out scores of the objective."""
        return self.held_out.objective_scores(self.coefficients)

    @property
    def members(self) -> SelfScoredPredictor | None:
        """The predictor, if it says how each of its members scored."""
        return self.predictor if isinstance(self.predictor, SelfScoredPredictor) else None

    def to_json(self) -> dict[str, Any]:
        """All but the predictor."""
        targets = self.swarm.targets
        noise = None if self.noise is None else dict(zip(targets, self.noise.tolist(), strict=True))
        return {
            "method": self.method,
            "params": dict(self.params),
            "seed": self.seed,
            "folds": self.held_out.parts,
            "runs": len(self.swarm),
            "targets": list(targets),
            "objective": dict(zip(targets, self.coefficients.tolist(), strict=True)),
            "scores": {target: asdict(scores) for target, scores in self.scores.items()},
            "objective_scores": asdict(self.objective_scores),
            "noise": {"targets": noise, "objective": self.objective_noise},
            "table": [asdict(row) for row in self.members.table] if self.members else None,
            "verdict": self.members.verdict if self.members else None,
            "scale": holds_for(self.predictor, self.swarm)._asdict(),
            "notes": notes(self.swarm),
            "seconds": self.seconds,
        }


def objective_of(swarm: Swarm, objective: Mapping[str, float]) -> FloatArray:
    """(t,) coefficients of an objective by name; all alike if none is named."""
    return swarm.coefficients(objective or dict.fromkeys(swarm.targets, 1.0))


def fit_swarm(
    swarm: Swarm,
    *,
    method: str,
    params: Mapping[str, Any],
    objective: Mapping[str, float],
    folds: int | None,
    seed: int,
) -> Fitted:
    """Fit all targets, and predict every run by fits that did not see it.

    Args:
        swarm: the runs.
        method: name of a law or regressor.
        params: hyperparameters that differ from their defaults.
        objective: coefficients by target; empty for all alike.
        folds: parts of the cross-validation; None leaves one mixture out at a time.
        seed: of the fit and the folds; the same seed gives the same fit.
    """
    started = time.perf_counter()
    coefficients = objective_of(swarm, objective)
    named = dict(zip(swarm.targets, coefficients.tolist(), strict=True))
    estimator = for_objective(build("method", ESTIMATORS, method, params), named)
    check_known(method, estimator, swarm)
    fit_rng, validation_rng = np.random.default_rng(seed).spawn(2)
    predictor = estimator.fit(swarm, rng=fit_rng)
    scored = held_out(estimator, predictor, swarm, folds=folds, rng=validation_rng)
    deviation, freedom = pooled_deviation(apart(swarm), swarm.values)
    spread, _ = pooled_deviation(apart(swarm), (swarm.values @ coefficients)[:, None])
    return Fitted(
        swarm=swarm,
        method=method,
        params=params,
        seed=seed,
        coefficients=coefficients,
        predictor=predictor,
        held_out=scored,
        noise=deviation if freedom else None,
        objective_noise=float(spread[0]) if freedom else None,
        seconds=time.perf_counter() - started,
    )
