"""Fit a method to a swarm and score it on runs that were held out.

A method that has held runs out already, to weigh its members, is scored by those predictions: each was made
by members and weights that did not see the run.
"""

import time
from dataclasses import asdict
from typing import Any

import numpy as np

from mixlaws.auto.auto import Auto
from mixlaws.errors import SwarmTooSmallError
from mixlaws.estimator import AnyEstimator, HeavyTailedPredictor, Predictor, SelfScoredPredictor
from mixlaws.progress import part
from mixlaws.registry import ESTIMATORS, for_objective
from mixlaws.scales import apart, holds_for
from mixlaws.swarm import Swarm, mixture_numbers
from mixlaws.validation import CrossValidation, held_out, pooled_deviation
from service.compute.swarms import load_problem, load_swarm
from service.errors import InvalidRequestError
from service.methods import build
from service.refusals import INSUFFICIENT_DATA


def run_fit(raw: dict[str, Any]) -> dict[str, Any]:
    """Fit, cross-validate, and measure the noise of repeated runs.

    Args:
        raw: problem, swarm, method, params, folds and seed.

    Returns:
        The predictor's dump, held-out scores by target and of the objective, held-out predictions with
        their deviations and the degrees of freedom of their tails (None is normal), where known, the
        pooled standard deviation of repeats, nats per token, and the table and verdict of a method that
        scores its members, and the scale that predictions hold for.
    """
    started = time.perf_counter()
    problem = load_problem(raw["problem"])
    swarm = load_swarm(raw["swarm"], problem.domains)
    coefficients = np.array(raw["problem"]["coefficients"])
    asked = build("method", ESTIMATORS, raw["method"], raw["params"])
    estimator = for_objective(asked, dict(zip(swarm.targets, coefficients.tolist(), strict=True)))
    fit_rng, validation_rng = np.random.default_rng(raw["seed"]).spawn(2)
    share = _share_of_fit(estimator, raw["folds"] or len(swarm))
    with part(0.0, share, f"fitting {raw['method']}"):
        predictor = estimator.fit(swarm, rng=fit_rng)
    fit_seconds = time.perf_counter() - started
    with part(share, 1.0, "scoring on runs held out"):
        scored = _scored(estimator, predictor, swarm, raw["folds"], validation_rng)
    deviation, freedom = pooled_deviation(apart(swarm), swarm.values)
    spread, _ = pooled_deviation(apart(swarm), (swarm.values @ coefficients)[:, None])
    return {
        "predictor": predictor.dump(),
        "scores": {
            target: asdict(scores) for target, scores in zip(swarm.targets, scored.scores(), strict=True)
        },
        "objective_scores": asdict(scored.objective_scores(coefficients)),
        "measured": scored.measured.tolist(),
        "predicted": scored.predicted.tolist(),
        "deviation": None if scored.deviation is None else scored.deviation.tolist(),
        "freedom": predictor.freedom if isinstance(predictor, HeavyTailedPredictor) else None,
        "noise": {
            "degrees_of_freedom": freedom,
            "targets": dict(zip(swarm.targets, deviation.tolist(), strict=True)) if freedom else {},
            "objective": float(spread[0]) if freedom else None,
        },
        **_own_scores(predictor),
        "scale": holds_for(predictor, swarm)._asdict(),
        "runs": len(swarm),
        "fit_seconds": fit_seconds,
        "seconds": time.perf_counter() - started,
    }


def _share_of_fit(estimator: AnyEstimator, folds: int) -> float:
    """How much of the whole the fit to all runs takes: auto holds runs out while it fits."""
    return 0.99 if isinstance(estimator, Auto) else 1 / (1 + folds)


def _scored(
    estimator: AnyEstimator,
    predictor: Predictor,
    swarm: Swarm,
    folds: int | None,
    rng: np.random.Generator,
) -> CrossValidation:
    try:
        return held_out(estimator, predictor, swarm, folds=folds, rng=rng)
    except SwarmTooSmallError as error:
        if mixture_numbers(swarm.weights).max() < 2:  # too few for any parts
            raise
        # The bare message would name fewer runs than the study has.
        raise InvalidRequestError(
            f"{len(swarm)} runs are enough to fit, but too few to score what was held out: in a part of the "
            f"cross-validation, {error}",
            code=INSUFFICIENT_DATA,
        ) from None


def _own_scores(predictor: Predictor) -> dict[str, Any]:
    if not isinstance(predictor, SelfScoredPredictor):
        return {"table": None, "verdict": None}
    return {"table": [asdict(row) for row in predictor.table], "verdict": predictor.verdict}
