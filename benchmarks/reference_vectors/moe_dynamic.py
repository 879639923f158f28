"""Vectors of dynamic mixing by expert loads: the released update."""

from collections.abc import Iterator
from typing import Any

import numpy as np

from benchmarks.reference_vectors.case import Case, Raw, deviation, numbers, problem, untrained
from mixlaws.arrays import FloatArray
from mixlaws.measurements import ExpertCounts
from mixlaws.policies.mixture import MixtureState
from mixlaws.policies.moe_dynamic import MoeDynamic

_DISTANCES: dict[str, Any] = {"cos": "cos", "l2": "l2", "~l2": "reversed_l2"}


def check(raw: Raw) -> Iterator[Case]:
    """All cases of a file; their names tell distance and aggregate."""
    for case in raw["cases"]:
        distance, aggregate = case["id"].rsplit("_", 1)
        policy = MoeDynamic(
            distance=_DISTANCES[distance],
            aggregate=aggregate,
            eta=raw["params"]["eta"],
            smoothing=raw["params"]["c"],
        )
        yield Case(case["id"], _case(policy, case["updates"]), raw["tolerance"])


def _case(policy: MoeDynamic, updates: list[Raw]) -> float:
    """Deviation of distances and mixtures.

    Which of equally far domains comes first is left to a sort in the released code. There our distances are
    compared with the mean of theirs, and the mixture follows theirs.
    """
    state, worst = policy.init(problem(len(updates[0]["gate_load_counts"]))), 0.0
    for number, row in enumerate(updates, start=1):
        loads = ExpertCounts(numbers(row["gate_load_counts"]), layer=0, gate="hard")
        expected = numbers(row["expected_delta"])
        distances = policy.distances(loads.shares)
        shared = _shared_by_equals(distances, expected)
        followed = policy.followed(state.weights, expected)
        state = policy.update(state, untrained(number, state.weights, expert_counts=loads))
        if not np.array_equal(shared, expected):
            state = MixtureState(followed)
        worst = max(worst, deviation(distances, shared), deviation(state.weights, row["expected_weights"]))
    return worst


def _shared_by_equals(ours: FloatArray, theirs: FloatArray) -> FloatArray:
    """Their values, averaged over domains for which ours are equal."""
    return np.array([theirs[ours == value].mean() for value in ours])
