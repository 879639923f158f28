"""Alarms: when a job should freeze, and when it should not."""

import json

import numpy as np
import pytest

from mixlaws.feedback import Feedback
from mixlaws.steering.alarms import AlarmState, watch
from mixlaws.steering.guards import Guards

NAMES = ("web", "code", "rare")
FINE = np.zeros(3, dtype=bool)
CODE = np.array([False, True, False])


def told(*losses: float) -> Feedback:
    """Mean losses of 1000 tokens each; NaN for a domain that was not observed."""
    known = np.isfinite(losses)
    return Feedback(1, np.where(known, losses, 0.0) * 1000, np.where(known, 1000, 0), np.full(3, 1 / 3))


def test_losses_that_are_no_numbers_freeze_a_job_when_they_come_in_a_row() -> None:
    guards, state = Guards(freeze_after_non_finite=3), AlarmState.start(3)
    reasons = []
    for broken in (CODE, CODE, FINE, CODE, CODE, CODE, CODE):
        state, reason = watch(guards, NAMES, state, told(2.0, np.nan, 2.0), broken)
        reasons.append(reason)
    assert reasons[:5] == [None] * 5
    assert reasons[5] == "3 feedbacks in a row with a loss that is not finite, now of 'code'; limit 3"
    assert reasons[6] is not None
    never = Guards(freeze_after_non_finite=None)
    assert watch(never, NAMES, state, told(2.0, np.nan, 2.0), CODE)[1] is None


def test_a_loss_that_leaps_freezes_a_job_and_one_that_is_only_noisy_does_not() -> None:
    rng, guards, state = np.random.default_rng(0), Guards(loss_spike=1.0), AlarmState.start(3)
    for step in range(1, 400):
        # The rare domain is seen every fiftieth time: too seldom to know what its loss should be.
        rare = 2.0 + (step >= 350) * 9.0 if step % 50 == 0 else np.nan
        losses = 2.0 + 6.0 / step**0.5 + rng.normal(0, 0.2, 2)
        state, reason = watch(guards, NAMES, state, told(*losses, rare), FINE)
        assert reason is None
    assert state.running[:2] == pytest.approx([2.0 + 6.0 / 350**0.5] * 2, abs=0.1)
    before = state
    for _ in range(50):  # what stays up does not become what is usual
        state, reason = watch(guards, NAMES, state, told(2.3, 4.5, np.nan), FINE)
        assert reason is not None
        assert reason.startswith("the loss of 'code' is 4.5, 2.")
        assert reason.endswith("limit 1")
    assert np.array_equal(state.running, before.running)
    assert np.array_equal(state.seen, before.seen)


def test_a_mean_starts_as_the_mean_of_what_was_seen_and_then_forgets() -> None:
    rng, guards, state = np.random.default_rng(1), Guards(loss_spike=50.0), AlarmState.start(3)
    losses = rng.uniform(1, 5, (100, 3))
    losses[rng.random((100, 3)) < 0.3] = np.nan
    for row in losses:
        state, _ = watch(guards, NAMES, state, told(*row), FINE)
        # A dump goes on as the state itself would.
        state = AlarmState.load(json.loads(json.dumps(state.dump(), allow_nan=False)))
    assert state.running == pytest.approx(np.nanmean(losses, axis=0))
    for _ in range(1000):
        state, _ = watch(guards, NAMES, state, told(9.0, np.nan, 9.0), FINE)
    assert state.running == pytest.approx([9.0, np.nanmean(losses[:, 1]), 9.0], abs=1e-3)


def test_a_state_survives_its_dump_to_the_bit() -> None:
    state = AlarmState(2, np.array([np.nan, 1 / 3, 7.0]), np.array([0, 4, 2**40]))
    back = AlarmState.load(json.loads(json.dumps(state.dump(), allow_nan=False)))
    assert back.non_finite_streak == 2
    assert np.array_equal(back.running, state.running, equal_nan=True)
    assert np.array_equal(back.seen, state.seen)
