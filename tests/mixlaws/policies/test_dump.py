"""DUMP: what its window holds, what it explores, and how small its state stays."""

import json
from typing import Any

import numpy as np
import pytest

from benchmarks.reference_vectors.case import problem, untrained
from mixlaws.errors import InvalidInputError
from mixlaws.feedback import Feedback, TokenSums
from mixlaws.policies.dump import MOST_DOMAINS, Dump, DumpState


def rollouts(sums: Any, counts: Any) -> Feedback:
    behind = np.array(counts)
    return untrained(1, np.full(len(behind), 1 / len(behind)), advantages=TokenSums(np.array(sums), behind))


def fed(policy: Dump, advantages: np.ndarray, size: int) -> DumpState:
    """The state after absolute advantages (n, d), reported so many at a time."""
    state = policy.init(problem(advantages.shape[1]))
    for part in np.split(advantages, range(size, len(advantages), size)):
        state = policy.update(state, rollouts(part.sum(axis=0), np.full(part.shape[1], len(part))))
    return state


def published(advantages: np.ndarray, window: int = 300) -> np.ndarray:
    """(d,) the mixture by the formula, from the last rollouts themselves."""
    n, d = advantages.shape
    scores = advantages[-window:].mean(axis=0) + np.sqrt(2 * np.log(n * d + 1) / (n + 1))
    powers = np.exp((scores - scores.max()) / 0.1)
    return np.asarray(powers / powers.sum())


ADVANTAGES = np.abs(np.random.default_rng(0).normal(0, [0.2, 0.3, 0.4], (1000, 3)))


@pytest.mark.parametrize("size", [1, 4, 20, 100])
def test_reports_of_any_size_that_fill_a_window_give_what_their_rollouts_give(size: int) -> None:
    assert fed(Dump(), ADVANTAGES, size).weights == pytest.approx(published(ADVANTAGES), abs=1e-12)


def test_a_report_beyond_the_window_counts_with_its_mean_and_shares_it_with_nothing_older() -> None:
    policy = Dump(window=10)
    state = policy.update(policy.init(problem(2)), rollouts([9.0, 9.0], [10, 10]))
    state = policy.update(state, rollouts([30.0, 6.0], [60, 60]))
    assert state.windows == (((0.5, 10),), ((0.1, 10),))
    assert state.counts.tolist() == [70, 70]
    # The oldest block loses as many rollouts as come.
    state = policy.update(state, rollouts([3.0, 0.0], [3, 0]))
    assert state.windows == (((0.5, 7), (1.0, 3)), ((0.1, 10),))


def test_a_domain_that_is_not_drawn_gains_until_it_is() -> None:
    policy = Dump()
    state = policy.update(policy.init(problem(2)), rollouts([5.0, 0.5], [50, 50]))
    drawn = state.weights[1]
    for _ in range(40):
        state = policy.update(state, rollouts([5.0, 0.0], [50, 0]))
    waiting = state.weights[1]
    for _ in range(40):
        state = policy.update(state, rollouts([5.0, 0.5], [50, 50]))
    assert waiting > state.weights[1]
    assert waiting > drawn


def test_a_solved_domain_gives_way_to_one_that_still_surprises() -> None:
    policy = Dump()
    state = policy.init(problem(3))
    for _ in range(100):
        state = policy.update(state, rollouts([0.0, 20.0, 0.0], [50, 50, 50]))
    assert state.weights[1] > 0.9
    assert state.weights[0] == pytest.approx(state.weights[2])


@pytest.mark.parametrize("d", [1, 2, 6, 7, 22, MOST_DOMAINS])
def test_windows_of_single_rollouts_stay_below_64_kb_and_near_the_published_ones(d: int) -> None:
    policy, rng = Dump(), np.random.default_rng(d)
    advantages = np.abs(rng.normal(0, 1e-3, (700, d)))
    state = fed(policy, advantages, 1)
    assert all(sum(count for _, count in blocks) == policy.window for blocks in state.windows)
    assert len(json.dumps(policy.dump(state))) <= 64 * 1024
    exact = 1e-12 if policy.grain(d) == 1 else 1e-3
    assert state.weights == pytest.approx(published(advantages), rel=exact)
    assert (policy.grain(d) == 1) == (d <= 6)


def test_too_many_domains_are_refused() -> None:
    with pytest.raises(InvalidInputError, match="at most 300"):
        Dump().init(problem(MOST_DOMAINS + 1))


def test_advantages_and_counts_of_any_size_give_a_mixture() -> None:
    policy, most = Dump(temperature=1e-3), 2**53 - 1  # the largest count that a report may hold
    state = policy.init(problem(4))
    for _ in range(600):
        state = policy.update(state, rollouts([1.7e308, 1.0, 1.0, 1.7e308], [1, most, most, 1]))
    assert state.weights == pytest.approx([0.5, 0.0, 0.0, 0.5])
