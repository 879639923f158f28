"""Repeated tokens: published values, bounds that hold for any count, and what they do to a proposal."""

import json

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from mixlaws.domains import DomainSet
from mixlaws.errors import InvalidInputError
from mixlaws.laws.effective_transfer import EffectiveTransfer, EffectiveTransferPredictor
from mixlaws.laws.exponential import ExponentialLaw
from mixlaws.problem import MixtureProblem
from mixlaws.proposers.convex import ConvexProposer
from mixlaws.repetition import REPETITIONS, RepeatingPredictor, effective_tokens, marginal_value
from mixlaws.simulation import Simulation

DOMAINS = DomainSet(("small", "large"), (1_000_000, 1_000_000_000))
# The small domain teaches far more a token than the large one.
LAW = EffectiveTransferPredictor(
    own=np.array([0, 1]),
    parameters=np.array([[0.0, np.log(0.01), 1.0, 0.4, 1.0], [-3.0, np.log(0.01), 1.0, 0.3, 1.0]]),
    unit=1e7,
    tokens=1e8,
)
ONE = np.array([1.0])


def test_effective_epochs_are_the_published_ones() -> None:
    epochs = np.array([1, 2, 4, 8, 16, 40])[:, None]
    worth = effective_tokens(1000.0 * epochs, 1000 * ONE)[:, 0] / 1000
    assert worth == pytest.approx([1, 1.968, 3.726, 6.624, 10.58, 15.17], rel=5e-4)
    assert effective_tokens(1e9 * ONE, ONE)[0] == pytest.approx(16.39, abs=0.005)


def test_the_worth_of_the_next_epoch_is_the_published_one() -> None:
    after = np.array([2, 4, 8, 16])[:, None] * 1.0
    assert marginal_value(after, ONE)[:, 0] == pytest.approx([0.937, 0.823, 0.635, 0.377], abs=5e-4)


@given(
    st.floats(0, 1e13), st.floats(1, 1e12), st.floats(0.1, 100), st.floats(1, 10)
)  # fmt: skip
def test_repetition_never_gives_more_than_is_read_nor_more_than_there_is_to_learn(
    tokens: float, unique: float, repetitions: float, factor: float
) -> None:
    read, held = tokens * ONE, unique * ONE
    worth = effective_tokens(read, held, repetitions=repetitions)[0]
    assert 0 <= worth <= tokens * (1 + 1e-12)
    assert worth <= unique * (1 + repetitions) * (1 + 1e-12)
    assert tokens > unique or worth == tokens
    assert effective_tokens(factor * read, held, repetitions=repetitions)[0] >= worth
    assert 0 <= marginal_value(read, held, repetitions=repetitions)[0] <= 1


def test_the_marginal_value_is_the_slope_and_has_no_jump_at_the_first_epoch() -> None:
    read, step = np.array([0.3, 0.999, 1.001, 1.5, 7.0, 60.0])[:, None], 1e-6
    numeric = (effective_tokens(read + step, ONE) - effective_tokens(read - step, ONE)) / (2 * step)
    assert marginal_value(read, ONE) == pytest.approx(numeric, abs=1e-6)
    edges = marginal_value(np.array([[1 - 1e-9], [1 + 1e-9]]), ONE)
    assert np.ptp(edges) < 1e-8


def test_a_law_of_one_epoch_holds_beyond_it_only_with_effective_tokens() -> None:
    repeating = RepeatingPredictor(LAW, DOMAINS)
    within, beyond = np.array([[0.005, 0.995]]), np.array([[0.3, 0.7]])
    assert repeating.predict(within) == pytest.approx(LAW.predict(within), rel=1e-12)
    assert repeating.predict(beyond)[0, 0] > LAW.predict(beyond)[0, 0] + 0.05


def test_a_small_domain_is_asked_for_less_once_its_repetition_counts(rng: np.random.Generator) -> None:
    problem = MixtureProblem.create(DOMAINS)
    naive, aware = (
        ConvexProposer(kl=0.0).propose(law, problem, count=1, rng=rng)[0].weights[0]
        for law in (LAW, RepeatingPredictor(LAW, DOMAINS))
    )
    assert aware < 0.8 * naive
    assert aware * LAW.tokens / DOMAINS.tokens[0] < 4 * (1 + REPETITIONS)


def test_slopes_of_a_repeating_law_follow_the_chain_rule(rng: np.random.Generator) -> None:
    repeating = RepeatingPredictor(LAW, DOMAINS)
    weights, step = rng.dirichlet(np.ones(2), size=6), 1e-7
    exact = repeating.jacobian(weights)
    for j in range(2):
        ahead, behind = (weights + sign * step * np.eye(2)[j] for sign in (1, -1))
        numeric = (repeating.predict(ahead) - repeating.predict(behind)) / (2 * step)
        assert exact[:, :, j] == pytest.approx(numeric, rel=1e-4, abs=1e-6)


def test_a_dump_tells_the_law_and_what_it_was_fed() -> None:
    raw = json.loads(json.dumps(RepeatingPredictor(LAW, DOMAINS).dump()))
    law = EffectiveTransfer().load(raw["predictor"])
    again = RepeatingPredictor(law, DomainSet.from_tokens(raw["domains"]), raw["repetitions"])
    weights = np.array([[0.2, 0.8]])
    assert np.array_equal(again.predict(weights), RepeatingPredictor(LAW, DOMAINS).predict(weights))


def test_what_cannot_be_repeated_is_refused(rng: np.random.Generator) -> None:
    simulation = Simulation.create(domains=2, rng=rng)
    shares_alone = ExponentialLaw(ridge=1e-3).fit(simulation.swarm(count=12, noise=0.01, rng=rng), rng=rng)
    with pytest.raises(InvalidInputError, match="knows shares and no tokens"):
        RepeatingPredictor(shares_alone, DOMAINS)  # type: ignore[arg-type]
    with pytest.raises(InvalidInputError, match="repetitions is 0"):
        effective_tokens(ONE, ONE, repetitions=0)
    with pytest.raises(InvalidInputError, match="unique tokens must be finite and > 0"):
        effective_tokens(ONE, 0 * ONE)
    with pytest.raises(InvalidInputError, match="not negative"):
        marginal_value(-ONE, ONE)
