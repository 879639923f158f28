"""Vectors of Skill-It: the released trainer with its model and data replaced."""

from collections.abc import Iterator

import numpy as np

from benchmarks.reference_vectors.case import Case, Raw, deviation, evaluated, numbers, problem, untrained
from mixlaws.policies.skillit import SkillIt


def check(raw: Raw) -> Iterator[Case]:
    """All cases of a file."""
    for case in raw["cases"]:
        yield Case(case["id"], _case(case), raw["tolerance"])


def _case(case: Raw) -> float:
    params, losses = case["params"], numbers(case["eval_losses"])
    d = losses.shape[1]
    names = problem(d).domains.names
    rows = np.eye(d) if case["graph"] is None else numbers(case["graph"])
    graph = {name: dict(zip(names, row.tolist(), strict=True)) for name, row in zip(names, rows, strict=True)}
    policy = SkillIt(
        eta=params["eta"], window=params["window"], update_every=params["update_steps"], graph=graph
    )
    state = policy.init(problem(d))
    expected = numbers(case["expected_proportions"])
    unnormalised = numbers(case["expected_weights"])
    worst = max(
        deviation(state.weights, expected[0]),
        deviation(expected, unnormalised / unnormalised.sum(axis=1)[:, None]),
    )
    # The released loop evaluates after the step of that number, counted from 0.
    evaluations = [(number + 1, row) for number, row in zip(case["eval_steps"], losses, strict=True)]
    for update in range(1, len(expected)):
        due = update * params["update_steps"]
        for step, row in evaluations:
            if due - params["update_steps"] < step <= due:
                state = policy.update(state, evaluated(step, state.weights, row))
        state = policy.update(state, untrained(due, state.weights))
        worst = max(worst, deviation(state.weights, expected[update]))
    return worst
