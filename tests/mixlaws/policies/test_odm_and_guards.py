"""What is particular to each policy, and the guards around all of them."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from mixlaws.domains import DomainSet
from mixlaws.errors import InvalidInputError
from mixlaws.feedback import Feedback
from mixlaws.policies.guards import Guards
from mixlaws.policies.odm import Odm
from mixlaws.policies.static import Static
from mixlaws.problem import MixtureProblem

DOMAINS = DomainSet(("a", "b", "c"), (6, 3, 1))


def told(step: int, losses: list[float], *, tokens: int = 1000) -> Feedback:
    known = np.isfinite(losses)
    return Feedback(
        step,
        np.where(known, losses, 0.0) * tokens,
        np.where(known, tokens, 0),
        np.full(len(losses), 1 / len(losses)),
    )


def test_static_keeps_the_prior_whatever_is_reported() -> None:
    policy = Static()
    state = policy.init(MixtureProblem.create(DOMAINS))
    state = policy.update(state, told(1, [9.0, 1.0, np.nan]))
    assert policy.stages(state)[0].weights == pytest.approx(DOMAINS.natural)


def test_odm_with_equal_losses_goes_to_uniform() -> None:
    policy = Odm()
    state = policy.init(MixtureProblem.create(DOMAINS))
    for step in range(1, 200):
        state = policy.update(state, told(step, [3.0, 3.0, 3.0]))
    assert state.weights == pytest.approx([1 / 3] * 3)


def test_odm_prefers_the_domain_of_highest_perplexity_even_if_it_is_noise() -> None:
    # A known limit of the method: it cannot tell what is hard to learn from what cannot be learned.
    policy = Odm()
    state = policy.init(MixtureProblem.create(DOMAINS))
    for step in range(1, 3001):
        state = policy.update(state, told(step, [2.0 + 3.0 * step**-0.5, 5.0, 2.0]))
    assert state.weights[1] > 0.8


def test_odm_leaves_the_reward_of_an_unseen_domain_alone() -> None:
    policy = Odm()
    state = policy.update(policy.init(MixtureProblem.create(DOMAINS)), told(50, [3.0, 2.0, 4.0]))
    after = policy.update(state, told(51, [3.0, np.nan, 4.0]))
    assert after.rewards[1] == state.rewards[1]
    assert after.rewards[0] > state.rewards[0]


def test_odm_works_with_one_domain_and_with_two() -> None:
    alone = DomainSet(("only",), (1,))
    policy = Odm()
    state = policy.update(policy.init(MixtureProblem.create(alone)), told(5, [3.0]))
    assert state.weights.tolist() == [1.0]
    pair = DomainSet(("x", "y"), (1, 1))
    state = policy.init(MixtureProblem.create(pair))
    for step in range(1, 100):
        state = policy.update(state, told(step, [3.0, 2.0]))
    assert state.weights[0] > state.weights[1] > 0


def test_a_hyperparameter_out_of_range_is_named() -> None:
    with pytest.raises(InvalidInputError, match=r"smoothing is 1\.0"):
        Odm(smoothing=1.0)
    with pytest.raises(InvalidInputError, match="update_every 0"):
        Odm(update_every=0)


losses = st.floats(allow_nan=True, allow_infinity=True, width=64)


@given(arrays(np.float64, 3, elements=losses), st.lists(st.integers(0, 5000), min_size=3, max_size=3))
def test_guards_let_only_finite_and_bounded_losses_through(sums: np.ndarray, counts: list[int]) -> None:
    raw = Feedback(1, sums, np.array(counts), np.full(3, 1 / 3))
    admitted = Guards(loss_ceiling=20.0).admit(raw)
    seen = admitted.losses[admitted.observed]
    assert np.all(np.isfinite(seen))
    assert np.all(seen <= 20.0 + 1e-9)
    assert not admitted.observed[~np.isfinite(sums)].any()


@given(arrays(np.float64, 6, elements=st.floats(0, 1)), st.floats(0, 1 / 6), st.floats(1 / 6, 1))
def test_guards_keep_weights_between_floor_and_ceiling(raw: np.ndarray, floor: float, ceiling: float) -> None:
    weights = (raw + 1e-9) / (raw + 1e-9).sum()
    limited = Guards(floor=floor, ceiling=ceiling).limit(weights)
    assert abs(limited.sum() - 1) <= 1e-12
    assert limited.min() >= floor - 1e-12
    assert limited.max() <= ceiling + 1e-12


def test_guards_that_admit_no_mixture_are_refused() -> None:
    with pytest.raises(InvalidInputError, match="admit no mixture"):
        Guards(floor=0.3).check(4)
    with pytest.raises(InvalidInputError, match="admit no mixture"):
        Guards(ceiling=0.2).check(4)
    with pytest.raises(InvalidInputError, match=r"floor 0\.5, ceiling 0\.2"):
        Guards(floor=0.5, ceiling=0.2)
