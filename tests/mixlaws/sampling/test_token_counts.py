"""Mixtures from token counts alone: temperature sampling and UniMax."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from mixlaws.domains import DomainSet
from mixlaws.errors import InfeasibleError, InvalidInputError
from mixlaws.problem import MixtureProblem
from mixlaws.sampling.temperature import Temperature
from mixlaws.sampling.unimax import UniMax


def named(tokens: list[int]) -> DomainSet:
    return DomainSet(tuple(f"d{i}" for i in range(len(tokens))), tuple(tokens))


def published_unimax(tokens: list[int], budget: float, max_epochs: float) -> np.ndarray:
    """Algorithm 1 of arXiv:2304.09151, as it is written: from the smallest domain to the largest."""
    given_tokens = np.zeros(len(tokens))
    left = float(budget)
    for place, domain in enumerate(np.argsort(tokens, kind="stable")):
        even = left / (len(tokens) - place)
        given_tokens[domain] = min(even, max_epochs * tokens[domain])
        left -= given_tokens[domain]
    return np.asarray(given_tokens / given_tokens.sum())


@given(st.lists(st.integers(1, 10**12), min_size=1, max_size=10), st.floats(0.1, 8), st.floats(0.001, 1))
def test_unimax_is_the_published_algorithm_wherever_the_tokens_suffice(
    tokens: list[int], max_epochs: float, share: float
) -> None:
    budget = max(int(share * max_epochs * sum(tokens)), 1)
    if budget > max_epochs * sum(tokens):
        return
    problem = MixtureProblem.create(named(tokens), final_tokens=budget)
    weights = UniMax(max_epochs=max_epochs).mixture(problem)
    assert weights == pytest.approx(published_unimax(tokens, budget, max_epochs), abs=1e-9)
    assert np.all(weights * budget <= max_epochs * np.array(tokens) * (1 + 1e-9))


@given(st.lists(st.integers(1, 100), min_size=3, max_size=3), st.floats(0.5, 5))
def test_no_other_mixture_within_the_epochs_is_as_even_as_that_of_unimax(
    tokens: list[int], max_epochs: float
) -> None:
    budget = max(int(0.8 * max_epochs * sum(tokens)), 1)
    found = UniMax(max_epochs=max_epochs).mixture(MixtureProblem.create(named(tokens), final_tokens=budget))
    steps = np.arange(101) / 100
    grid = np.array([(a, b, 1 - a - b) for a in steps for b in steps if a + b <= 1])
    allowed = grid[np.all(grid * budget <= max_epochs * np.array(tokens), axis=1)]
    assert np.all((allowed**2).sum(axis=1) >= (found**2).sum() - 1e-9)


def test_unimax_refuses_a_budget_that_would_exceed_the_epochs_instead_of_rescaling() -> None:
    problem = MixtureProblem.create(named([100, 10]), final_tokens=1000)
    assert published_unimax([100, 10], 1000, 4)[0] * 1000 > 4 * 100  # as published: 9 epochs, unsaid
    with pytest.raises(InfeasibleError, match="allow more epochs, or shorten the final run"):
        UniMax().mixture(problem)


def test_unimax_needs_a_budget_and_honours_the_stricter_of_two_epoch_limits() -> None:
    domains = named([100, 100, 100])
    with pytest.raises(InvalidInputError, match="final_tokens"):
        UniMax().mixture(MixtureProblem.create(domains))
    strict = MixtureProblem.create(domains, final_tokens=400, max_epochs={"d0": 0.4})
    assert UniMax().mixture(strict) == pytest.approx([0.1, 0.45, 0.45])


@given(st.lists(st.integers(1, 10**9), min_size=2, max_size=8), st.floats(0, 3))
def test_temperature_keeps_the_ratios_of_powers(tokens: list[int], exponent: float) -> None:
    weights = Temperature(exponent).mixture(MixtureProblem.create(named(tokens)))
    expected = (np.array(tokens) / sum(tokens)) ** exponent
    assert weights == pytest.approx(expected / expected.sum(), rel=1e-9, abs=1e-12)


def test_temperature_brings_no_domain_in_that_the_prior_leaves_out() -> None:
    problem = MixtureProblem.create(named([1, 1, 1]), prior={"d0": 0.9, "d1": 0.1, "d2": 0})
    assert Temperature(0).mixture(problem) == pytest.approx([0.5, 0.5, 0], abs=0)


def test_a_lower_temperature_mixture_still_honours_caps_of_the_final_run() -> None:
    problem = MixtureProblem.create(
        named([100, 1]), final_tokens=100, max_epochs=dict.fromkeys(("d0", "d1"), 4.0)
    )
    assert Temperature(0).mixture(problem) == pytest.approx([0.96, 0.04])


@pytest.mark.parametrize(("rule", "field"), [(Temperature, "exponent"), (UniMax, "max_epochs")])
@pytest.mark.parametrize("value", [-1.0, float("nan")])
def test_hyperparameters_that_mean_nothing_are_refused(rule: type, field: str, value: float) -> None:
    with pytest.raises(InvalidInputError, match=field):
        rule(**{field: value})
