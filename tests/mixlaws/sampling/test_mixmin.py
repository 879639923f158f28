"""MixMin finds the mixture that text was drawn from, and knows when it has."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from mixlaws.arrays import FloatArray
from mixlaws.domains import DomainSet
from mixlaws.errors import FitError, InvalidInputError
from mixlaws.optimality import kkt_gap
from mixlaws.problem import MixtureProblem
from mixlaws.sampling.mixmin import MixMin, mixture_loss
from mixlaws.sampling.rule import Statistics

TRUTH = np.array([0.45, 0.3, 0.2, 0.05])


def problem(d: int, **bounds: float) -> MixtureProblem:
    return MixtureProblem.create(DomainSet(tuple(f"d{i}" for i in range(d)), (1,) * d), upper=bounds)


def drawn(truth: FloatArray, *, sequences: int, seed: int) -> Statistics:
    """Sequences of 2 to 6 words out of 40, each from one of the domains' word frequencies."""
    rng = np.random.default_rng(seed)
    words = rng.dirichlet(np.full(40, 0.5), size=len(truth))
    lengths = rng.integers(2, 7, sequences)
    logs = np.empty((sequences, len(truth)))
    for row, (domain, length) in enumerate(
        zip(rng.choice(len(truth), sequences, p=truth), lengths, strict=True)
    ):
        text = rng.choice(40, length, p=words[domain])
        logs[row] = np.log(words[:, text]).sum(axis=1)
    return Statistics(log_probabilities=logs, lengths=lengths.astype(np.float64))


def random_case(seed: int, d: int) -> tuple[FloatArray, FloatArray]:
    rng = np.random.default_rng(seed)
    return rng.normal(-300, rng.uniform(0.1, 20), (60, d)), rng.integers(10, 500, 60).astype(np.float64)


def test_the_mixture_that_text_was_drawn_from_is_recovered() -> None:
    found = MixMin().mixture(problem(4), drawn(TRUTH, sequences=8000, seed=0))
    assert np.abs(found - TRUTH).max() < 0.02


@given(st.integers(0, 2**32 - 1), st.integers(2, 7), st.floats(0.2, 1.0))
def test_no_other_feasible_mixture_has_a_lower_loss(seed: int, d: int, cap: float) -> None:
    logs, lengths = random_case(seed, d)
    capped = problem(d, d0=cap)
    found = MixMin().mixture(capped, Statistics(log_probabilities=logs, lengths=lengths))
    assert np.all((found >= 0) & (found <= capped.caps))
    loss = mixture_loss(logs, lengths, found)
    others = np.random.default_rng(seed).dirichlet(np.ones(d), size=30)
    others = others[others[:, 0] <= cap]
    assert all(mixture_loss(logs, lengths, other) >= loss - 1e-7 for other in others)


def test_the_gradient_at_the_optimum_is_one_over_the_length_and_the_gap_is_none() -> None:
    statistics = drawn(TRUTH, sequences=3000, seed=1)
    logs, lengths = statistics.need("log_probabilities", (3000, 4)), statistics.need("lengths", (3000,))
    found = MixMin(gap=1e-9).mixture(problem(4), statistics)
    likelihoods = np.exp(logs)
    gradient = -(likelihoods / (likelihoods @ found)[:, None] / lengths[:, None]).mean(axis=0)
    assert gradient == pytest.approx(np.full(4, -np.mean(1 / lengths)), rel=1e-3)
    assert kkt_gap(gradient, found, np.zeros(4), np.ones(4)) < 1e-9


@given(st.integers(0, 2**32 - 1), st.integers(2, 7), st.floats(0, 1))
def test_the_loss_is_convex(seed: int, d: int, share: float) -> None:
    logs, lengths = random_case(seed, d)
    one, other = np.random.default_rng(seed).dirichlet(np.ones(d), size=2)
    between = mixture_loss(logs, lengths, share * one + (1 - share) * other)
    chord = share * mixture_loss(logs, lengths, one) + (1 - share) * mixture_loss(logs, lengths, other)
    assert between <= chord + 1e-12


def test_a_constant_added_to_all_log_probabilities_of_a_sequence_changes_nothing() -> None:
    statistics = drawn(TRUTH, sequences=500, seed=2)
    logs, lengths = statistics.need("log_probabilities", (500, 4)), statistics.need("lengths", (500,))
    constants = np.random.default_rng(0).normal(scale=2000, size=(500, 1))
    plain, shifted = (
        MixMin(gap=1e-9).mixture(problem(4), Statistics(log_probabilities=values, lengths=lengths))
        for values in (logs, logs + constants)
    )
    assert shifted == pytest.approx(plain, abs=1e-5)


@pytest.mark.parametrize("unit", [1e-3, 1e3])
def test_the_unit_of_lengths_changes_neither_the_mixture_nor_when_the_search_stops(unit: float) -> None:
    # An absolute tolerance in nats per token would stop at once for long sequences.
    statistics = drawn(TRUTH, sequences=500, seed=3)
    logs, lengths = statistics.need("log_probabilities", (500, 4)), statistics.need("lengths", (500,))
    plain, scaled = (
        MixMin().mixture(problem(4), Statistics(log_probabilities=logs, lengths=values))
        for values in (lengths, unit * lengths)
    )
    assert scaled == pytest.approx(plain, abs=1e-6)


def test_a_domain_whose_model_never_does_best_gets_nothing() -> None:
    logs = np.random.default_rng(0).normal(-50, 2, (200, 3))
    logs[:, 2] = logs[:, :2].min(axis=1) - 5
    found = MixMin().mixture(problem(3), Statistics(log_probabilities=logs, lengths=np.full(200, 20.0)))
    assert found[2] < 1e-6


def test_a_search_that_is_cut_short_says_how_far_it_is() -> None:
    with pytest.raises(FitError, match="nats per sequence above the minimum"):
        MixMin(iterations=1).mixture(problem(4), drawn(TRUTH, sequences=200, seed=0))


def test_empty_sequences_are_refused() -> None:
    statistics = Statistics(log_probabilities=np.zeros((2, 2)), lengths=np.array([3.0, 0.0]))
    with pytest.raises(InvalidInputError, match="0 tokens"):
        MixMin().mixture(problem(2), statistics)
