"""Vectors that were computed from published formulas, where there is no released code."""

from collections.abc import Callable, Iterator, Mapping

import numpy as np

from benchmarks.reference_vectors.case import Case, Raw, deviation, evaluated, numbers, problem, untrained
from mixlaws.measurements import GradientNorms, Gram
from mixlaws.policies.pike import Pike
from mixlaws.policies.rnb import Rnb
from mixlaws.policies.velocitune import Velocitune


def check(raw: Raw) -> Iterator[Case]:
    """All parts of a file that there is a policy for."""
    for part in sorted(PARTS.keys() & raw.keys()):
        yield Case(part, PARTS[part](raw[part]), raw["tolerance"])


def _velocitune(part: Raw) -> float:
    params = part["params"]
    d = len(params["initial"])
    asked = problem(d, prior=params["initial"])
    policy = Velocitune(
        target_losses=asked.domains.to_mapping(params["target_loss"]),
        initial_losses=asked.domains.to_mapping(params["init_loss"]),
    )
    state, worst = policy.init(asked), 0.0
    for number, row in enumerate(part["updates"], start=1):
        state = policy.update(state, evaluated(number, state.weights, numbers(row["losses"])))
        worst = max(worst, deviation(state.weights, row["expected_weights"]))
        worst = max(worst, deviation(state.velocities, row["expected_velocity"]))
    return worst


def _rnb(part: Raw) -> float:
    worst = 0.0
    for case in part["cases"]:
        asked = problem(len(case["gram"]))
        counts = np.arange(1, len(case["gram"]) + 1)
        # The vectors give products of means, a report those of sums.
        gram = Gram(numbers(case["gram"]) * np.outer(counts, counts), counts, "vectors")
        shares = asked.domains.to_mapping(case["eval_proportions"])
        policy = Rnb(strength=case["lam"], proportions=shares)
        state = policy.init(asked)
        state = policy.update(state, untrained(1, state.weights, gram=gram))
        worst = max(worst, deviation(state.weights, case["expected_weights"]))
    return worst


def _pike(part: Raw) -> float:
    params, worst = part["params"], 0.0
    policy = Pike(zeta1=params["zeta1"], zeta2=params["zeta2"], batch=params["batch"])
    state = policy.init(problem(len(part["updates"][0]["grad_norm_sq"])))
    for number, row in enumerate(part["updates"], start=1):
        norms = GradientNorms(numbers(row["grad_norm_sq"]), numbers(row["grad_var"]), batch=1)
        state = policy.update(state, untrained(number, state.weights, grad_norms=norms))
        worst = max(worst, deviation(state.weights, row["expected_weights"]))
    return worst


PARTS: Mapping[str, Callable[[Raw], float]] = {"pike": _pike, "rnb": _rnb, "velocitune": _velocitune}
