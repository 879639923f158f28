"""Released arithmetic of online data mixing, step by step against its reference vectors."""

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from mixlaws.domains import DomainSet
from mixlaws.policies.odm import Odm
from mixlaws.policy import Feedback
from mixlaws.problem import MixtureProblem

CASES = (
    "smoothed_mean.group.K5",
    "smoothed_mean.single.K5",
    "exp3.group.K5",
    "exp3.single.K5",
    "paper_formula.K5",
)


@pytest.fixture(scope="module")
def vectors(reference_data: Path) -> dict[str, Any]:
    loaded: dict[str, Any] = json.loads((reference_data / "vectors" / "odm.json").read_text())
    return loaded


def feedback(step: int, losses: np.ndarray, present: np.ndarray, weights: np.ndarray) -> Feedback:
    tokens = np.where(present, 1024, 0)
    return Feedback(step, np.where(present, losses, 0.0) * tokens, tokens, weights)


@pytest.mark.parametrize("name", CASES)
def test_every_variant_follows_its_vector(vectors: dict[str, Any], name: str) -> None:
    by_name = {case["id"]: case for case in vectors["cases"]}
    assert {case for case in by_name if not case.startswith("inputs")} == set(CASES), "a vector has no test"
    case, inputs = by_name[name], by_name["inputs.K5"]
    losses, present = np.array(inputs["losses"]), np.array(inputs["present"], dtype=bool)
    variant: Any = case["method"] if case["method"] in {"smoothed_mean", "exp3"} else "paper"
    policy = Odm(variant=variant, update_kind=case["kind"])
    state = policy.init(MixtureProblem.create(DomainSet(tuple("abcde"), (1,) * 5)))
    tolerance = vectors["tolerance"]
    for t, expected in enumerate(case["expected_weights"]):
        seen = present[t].copy()
        if case["kind"] == "single":
            candidates = np.flatnonzero(seen)
            seen = np.arange(5) == candidates[t % len(candidates)]
        # Algorithm 1 computes the mixture of step t before it draws with it.
        drawn_with = np.array(expected) if variant == "paper" else state.weights
        state = policy.update(state, feedback(t + 1, losses[t], seen, drawn_with))
        assert state.weights == pytest.approx(expected, abs=tolerance)
        if "expected_eps" in case:
            assert state.exploration == pytest.approx(case["expected_eps"][t], abs=tolerance)
        if "expected_reward_state_every_20" in case and t % 20 == 19:
            assert state.rewards == pytest.approx(
                case["expected_reward_state_every_20"][t // 20], rel=tolerance
            )


def test_the_update_gate_opens_when_the_released_one_does(vectors: dict[str, Any]) -> None:
    gate = vectors["gate"]
    policy = Odm(warmup_steps=gate["warmup_steps"], update_every=gate["update_frequency"])
    state = policy.init(MixtureProblem.create(DomainSet(("a", "b"), (1, 1))))
    opened = []
    for iteration in range(1, len(gate["requires_update"]) + 1):
        told = feedback(iteration, np.array([3.0, 2.0]), np.array([True, True]), state.weights)
        opened.append(int(policy.update(state, told) is not state))
    assert opened == gate["requires_update"]


def test_a_domain_unseen_after_the_warm_up_gets_exactly_the_floor(vectors: dict[str, Any]) -> None:
    rows = vectors["warmup_case"]["rows"]
    for iteration, *weights in rows:
        if iteration <= 100:
            continue
        floor = np.sqrt(np.log(3) / (3 * iteration))
        assert weights[1] == pytest.approx(floor, abs=1e-8), "the vector's own claim"
    policy = Odm(warmup_steps=100)
    domains = DomainSet(("a", "b", "c"), (5, 3, 2))
    state = policy.init(MixtureProblem.create(domains))
    for iteration, *expected in rows:
        told = feedback(iteration, np.array([3.2, 0.0, 2.0]), np.array([True, False, True]), state.weights)
        state = policy.update(state, told)
        if iteration <= 100:
            assert state.weights == pytest.approx(expected, abs=1e-12), "the prior holds during warm-up"
        else:
            assert state.weights[1] == pytest.approx(expected[1], abs=1e-8)
