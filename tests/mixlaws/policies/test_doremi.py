"""DoReMi: what it clips, what it remembers, what it is for."""

import math

import numpy as np
import pytest

from benchmarks.reference_vectors.case import problem, untrained
from mixlaws.feedback import Feedback, Signal, TokenSums
from mixlaws.policies.doremi import DoReMi, DoReMiState


def told(
    state: DoReMiState, excess: np.ndarray, mask: np.ndarray, *, step: int = 1, steps: int = 1
) -> Feedback:
    """Excess (tokens, d) of every token, where the mask has one, as a trainer sums it."""
    counts, seen = mask.sum(axis=0), np.where(mask, excess, 0.0)
    return untrained(
        step, state.weights, steps=steps,
        excess=TokenSums(seen.sum(axis=0), counts),
        excess_clipped=TokenSums(np.maximum(seen, 0.0).sum(axis=0), counts),
    )  # fmt: skip


ALL = np.ones((100, 3), dtype=bool)


def test_tokens_are_clipped_one_by_one_so_that_mixed_ones_are_not_lost() -> None:
    rng = np.random.default_rng(0)
    excess = rng.normal([0.0, -0.5, 0.5], 1.0, (100, 3))
    by_token, by_mean = DoReMi(), DoReMi(variant="aioli")
    start = problem(3)
    first, second = (
        policy.update(policy.init(start), told(policy.init(start), excess, ALL))
        for policy in (by_token, by_mean)
    )
    assert np.all(first.scores >= second.scores)
    assert first.scores[1] > 0.1
    assert second.scores[1] == 0.0
    assert by_token.signals == {Signal.EXCESS_CLIPPED}
    assert by_mean.signals == {Signal.EXCESS}


def test_the_output_is_the_running_average_whose_first_sample_is_the_start() -> None:
    policy = DoReMi()
    state = policy.init(problem(3))
    weights = [state.weights]
    for step in range(1, 30):
        excess = np.tile([0.5, 0.2, 0.1], (100, 1)) / step
        state = policy.update(state, told(state, excess, ALL, step=step))
        weights.append(state.weights)
    assert policy.average(state) == pytest.approx(np.mean(weights, axis=0))
    assert policy.average(state) != pytest.approx(state.weights, abs=1e-3)


def test_an_unseen_domain_is_pushed_up_until_it_is_drawn() -> None:
    policy = DoReMi()
    state = policy.init(problem(3))
    assert state.scores == pytest.approx([math.log(50277)] * 3)
    mask = ALL.copy()
    mask[:, 2] = False
    state = policy.update(state, told(state, np.full((100, 3), 0.3), mask))
    assert state.weights[2] > 0.99
    state = policy.update(state, told(state, np.full((100, 3), 0.3), ALL))
    kept = policy.update(state, told(state, np.full((100, 3), 0.9), mask))
    assert kept.scores == pytest.approx([0.9, 0.9, 0.3])


def test_equal_excess_leaves_equal_weights_however_large() -> None:
    policy = DoReMi(eta=1000.0)
    state = policy.init(problem(3))
    for step in range(1, 20):
        state = policy.update(state, told(state, np.full((100, 3), 18.0), ALL, step=step))
    assert state.weights == pytest.approx([1 / 3] * 3)


def test_smoothing_lets_a_domain_that_was_out_come_back() -> None:
    policy = DoReMi()
    state = policy.init(problem(3))
    for step in range(1, 400):
        state = policy.update(state, told(state, np.tile([2.0, 0.0, 0.0], (100, 1)), ALL, step=step))
    # Where the floor of 1e-3 / 3 and the loss of a factor of e^2 in every step are in balance.
    assert state.weights[1] == pytest.approx(1e-3 / 3 / (1 - 0.999 * math.exp(-2)), rel=1e-3)
    for step in range(400, 420):
        state = policy.update(state, told(state, np.tile([0.0, 2.0, 0.0], (100, 1)), ALL, step=step))
    assert state.weights[1] > 0.9


def test_one_feedback_over_some_steps_moves_as_so_many() -> None:
    policy = DoReMi(eta=0.01, smoothing=0.0)
    fine = coarse = policy.init(problem(3))
    excess = np.tile([0.5, 0.2, 0.1], (100, 1))
    for step in range(1, 11):
        fine = policy.update(fine, told(fine, excess, ALL, step=step))
    coarse = policy.update(coarse, told(coarse, excess, ALL, step=10, steps=10))
    assert coarse.weights == pytest.approx(fine.weights, abs=1e-12)
    assert coarse.averaged_steps == fine.averaged_steps
