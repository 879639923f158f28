"""Vectors of DoGE: the released update, in single precision."""

from collections.abc import Iterator

import numpy as np

from benchmarks.reference_vectors.case import Case, Raw, deviation, numbers, problem, untrained
from mixlaws.measurements import GradientProducts
from mixlaws.policies.doge import DoGE


def check(raw: Raw) -> Iterator[Case]:
    """All cases of a file."""
    for case in raw["cases"]:
        yield Case(case["id"], _case(case), raw["tolerance"])


def _case(case: Raw) -> float:
    params, norms = case["params"], numbers(case["train_grad_norms"])
    products = numbers(case["train_x_target_inner_products"])
    d, t = products.shape[1:]
    policy = DoGE(
        mu=params["mu"], smoothing=params["reweight_eps"], least=params["dw_min"], most=params["dw_max"]
    )
    state = policy.init(problem(d))
    # With a target for each domain the targets are the domains.
    targets = state.names if t == d else tuple(f"target-{number:03}" for number in range(t))
    counts, worst = np.ones(d, dtype=np.int64), 0.0
    for step, rate in enumerate(case["lr"]):
        measured = GradientProducts(products[step], norms[step], counts, rate, targets)
        worst = max(worst, deviation(policy.scores(state.names, measured), case["expected_scores"][step]))
        state = policy.update(state, untrained(step + 1, state.weights, grad_products=measured))
        worst = max(worst, deviation(state.weights, case["expected_weights"][step]))
    return max(worst, deviation(policy.average(state), case["expected_average"]))
