"""Losses at the ends of what a float holds, for hundreds of updates: mixtures stay mixtures above the floor.

Runs of up to a million updates are the conformance suite's, which takes their number from
`MIXWRIGHT_SOAK_UPDATES`.
"""

import json

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from mixlaws.arrays import FloatArray
from mixlaws.domains import DomainSet
from mixlaws.driving import Drive
from mixlaws.policies.arithmetic import softmax
from mixlaws.problem import MixtureProblem
from mixlaws.registry import POLICIES
from tests.support.steering import Trainer, example, followed, guarded

D, FLOOR = 5, 0.001
ENDS = (0.0, 5e-324, 1e-300, 1e-9, 19.999, 1e30, 1e140, -1e140)  # mean losses, nats
DOMAINS = DomainSet(tuple(f"domain-{i}" for i in range(D)), (10, 20, 30, 40, 50))


class Extreme(Trainer):
    """Reports the same mean losses again and again, so that whatever adds up goes as far as it can."""

    means: FloatArray

    def _sums(self, counts: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        return self.means * counts, counts


@pytest.mark.parametrize("name", sorted(name for name in POLICIES if example(name, DOMAINS).signals))
@settings(max_examples=3)
@given(st.lists(st.sampled_from(ENDS), min_size=D, max_size=D), st.integers(0, 2**16))
def test_case_32_weights_that_overflow_or_collapse_stay_a_mixture_above_the_floor(
    name: str, means: list[float], seed: int
) -> None:
    policy = example(name, DOMAINS)
    drive, guards = Drive(policy, policy.init(MixtureProblem.create(DOMAINS))), guarded(D, floor=FLOOR)
    trainer = Extreme(D, seed=seed, pace=10)
    trainer.means = np.array(means)
    for _ in followed(drive, trainer, 150):
        for stage in drive.plan:
            assert abs(stage.weights.sum() - 1) <= 1e-12
            assert stage.weights.min() >= 0
            limited = guards.within(stage.weights)
            assert abs(limited.sum() - 1) <= 1e-12
            assert limited.min() >= FLOOR - 1e-15
    json.dumps(policy.dump(drive.state), allow_nan=False)


@given(st.lists(st.floats(-1e308, 1e308), min_size=1, max_size=12))
def test_case_32_log_weights_of_any_size_give_a_mixture(logs: list[float]) -> None:
    weights = softmax(np.array(logs))
    assert abs(weights.sum() - 1) <= 1e-12
    assert weights.min() >= 0


@given(st.integers(2, 12), st.data())
def test_case_32_a_mixture_of_one_domain_is_lifted_to_the_floor(d: int, data: st.DataObject) -> None:
    floor = data.draw(st.floats(0, 1 / d))
    collapsed = np.eye(d)[data.draw(st.integers(0, d - 1))]
    lifted = guarded(d, floor=floor).within(collapsed)
    assert lifted.min() >= floor - 1e-12
    assert abs(lifted.sum() - 1) <= 1e-12
