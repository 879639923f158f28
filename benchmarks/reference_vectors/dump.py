"""Vectors of DUMP: the released controller, told of one rollout at a time."""

from collections.abc import Iterator
from itertools import zip_longest

import numpy as np

from benchmarks.reference_vectors.case import Case, Raw, deviation, problem, untrained
from mixlaws.feedback import TokenSums
from mixlaws.policies.dump import Dump


def check(raw: Raw) -> Iterator[Case]:
    """The one case of a file: rollouts of every domain, and the mixture after them."""
    params, updates = raw["params"], raw["updates"]
    policy = Dump(window=params["window"], temperature=params["temperature"])
    state, worst, step = policy.init(problem(len(updates[0]["advantages"]))), 0.0, 0
    for row in updates:
        for rollouts in zip_longest(*row["advantages"]):
            step += 1
            sums = np.array([0.0 if advantage is None else abs(advantage) for advantage in rollouts])
            counts = np.array([0 if advantage is None else 1 for advantage in rollouts])
            told = untrained(step, state.weights, advantages=TokenSums(sums, counts))
            state = policy.update(state, told)
        worst = max(worst, deviation(state.weights, row["expected_weights"]))
    yield Case(str(raw.get("id", "updates")), worst, raw["tolerance"])
