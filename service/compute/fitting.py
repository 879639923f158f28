"""Fit a method to a swarm and score it on runs that were held out."""

import time
from dataclasses import asdict
from typing import Any

import numpy as np

from mixlaws.registry import ESTIMATORS
from mixlaws.validation import cross_validate, pooled_deviation
from service.compute.swarms import load_problem, load_swarm
from service.methods import build


def run_fit(raw: dict[str, Any]) -> dict[str, Any]:
    """Fit, cross-validate, and measure the noise of repeated runs.

    Args:
        raw: problem, swarm, method, params, folds and seed.

    Returns:
        The predictor's dump, held-out scores by target and of the objective, held-out predictions, and
        the pooled standard deviation of repeats, nats per token.
    """
    started = time.perf_counter()
    problem = load_problem(raw["problem"])
    swarm = load_swarm(raw["swarm"], problem.domains)
    estimator = build("method", ESTIMATORS, raw["method"], raw["params"])
    fit_rng, validation_rng = np.random.default_rng(raw["seed"]).spawn(2)
    predictor = estimator.fit(swarm, rng=fit_rng)
    fit_seconds = time.perf_counter() - started
    held_out = cross_validate(estimator, swarm, folds=raw["folds"], rng=validation_rng)
    coefficients = np.array(raw["problem"]["coefficients"])
    deviation, freedom = pooled_deviation(swarm.weights, swarm.values)
    spread, _ = pooled_deviation(swarm.weights, (swarm.values @ coefficients)[:, None])
    return {
        "predictor": predictor.dump(),
        "scores": {
            target: asdict(scores) for target, scores in zip(swarm.targets, held_out.scores(), strict=True)
        },
        "objective_scores": asdict(held_out.objective_scores(coefficients)),
        "measured": held_out.measured.tolist(),
        "predicted": held_out.predicted.tolist(),
        "noise": {
            "degrees_of_freedom": freedom,
            "targets": dict(zip(swarm.targets, deviation.tolist(), strict=True)) if freedom else {},
            "objective": float(spread[0]) if freedom else None,
        },
        "runs": len(swarm),
        "fit_seconds": fit_seconds,
        "seconds": time.perf_counter() - started,
    }
