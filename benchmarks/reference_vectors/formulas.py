"""Vectors that were computed from published formulas, where there is no released code."""

from collections.abc import Iterator

from benchmarks.reference_vectors.case import Case, Raw, deviation, evaluated, numbers, problem
from mixlaws.policies.velocitune import Velocitune


def check_velocitune(raw: Raw) -> Iterator[Case]:
    """The Velocitune part of a file."""
    params = raw["velocitune"]["params"]
    d = len(params["initial"])
    asked = problem(d, prior=params["initial"])
    policy = Velocitune(
        target_losses=asked.domains.to_mapping(params["target_loss"]),
        initial_losses=asked.domains.to_mapping(params["init_loss"]),
    )
    state, worst = policy.init(asked), 0.0
    for number, row in enumerate(raw["velocitune"]["updates"], start=1):
        state = policy.update(state, evaluated(number, state.weights, numbers(row["losses"])))
        worst = max(worst, deviation(state.weights, row["expected_weights"]))
        worst = max(worst, deviation(state.velocities, row["expected_velocity"]))
    yield Case("velocitune", worst, raw["tolerance"])
