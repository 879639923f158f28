"""Vectors of DoReMi: the released update, and Aioli's re-implementation."""

import math
from collections.abc import Iterator
from dataclasses import replace

import numpy as np

from benchmarks.reference_vectors.case import Case, Raw, deviation, numbers, problem, untrained
from mixlaws.arrays import frozen
from mixlaws.feedback import TokenSums
from mixlaws.policies.doremi import DoReMi


def check(raw: Raw) -> Iterator[Case]:
    """All cases of a file."""
    for case in raw["cases"]:
        params = case["params"]
        policy = DoReMi(eta=params["eta"], smoothing=params["eps"], initial_score=_initial_score(params))
        state = policy.init(problem(len(case["steps"][0]["token_count"])))
        if not isinstance(params.get("initial_weights", ""), str):
            first = frozen(params["initial_weights"])
            state = replace(state, weights=first, average=first)
        worst = 0.0
        for t, step in enumerate(case["steps"]):
            excess = TokenSums(numbers(step["clipped_excess_sum"]), np.array(step["token_count"]))
            state = policy.update(state, untrained(t + 1, state.weights, excess_clipped=excess))
            got = {
                "expected_scores": state.scores,
                "expected_weights": state.weights,
                "expected_running_average": policy.average(state),
            }
            worst = max(worst, *(deviation(value, case[key][t]) for key, value in got.items() if key in case))
        yield Case(case["id"], worst, raw["tolerance"])


def check_aioli(raw: Raw) -> Iterator[Case]:
    """The one case of a file: domain means of a model and of its reference, both 0 where one is absent."""
    params, steps = raw["params"], numbers(raw["steps"])
    policy = DoReMi(
        variant="aioli", eta=params["eta"], smoothing=params["eps"], initial_score=params["initial_scores"]
    )
    state = policy.init(problem(steps.shape[2]))
    worst = 0.0
    for t, (losses, reference) in enumerate(steps):
        present = (losses != 0) | (reference != 0)
        state = policy.update(
            state, untrained(t + 1, state.weights, excess=TokenSums(losses - reference, present.astype(int)))
        )
        worst = max(worst, deviation(state.weights, raw["expected_weights"][t]))
    yield Case(str(raw.get("id", "steps")), worst, raw["tolerance"])


def _initial_score(params: Raw) -> float:
    given = params.get("initial_scores")
    return float(given) if isinstance(given, int | float) else math.log(params["vocab"])
