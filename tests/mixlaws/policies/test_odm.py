"""What is particular to ODM and to static weights."""

import numpy as np
import pytest

from mixlaws.domains import DomainSet
from mixlaws.errors import InvalidInputError
from mixlaws.feedback import Feedback
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
