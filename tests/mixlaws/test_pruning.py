"""Small weights can be left out without breaking a cap."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from mixlaws.domains import DomainSet
from mixlaws.errors import InvalidInputError
from mixlaws.problem import MixtureProblem
from mixlaws.pruning import prune
from mixlaws.simplex import project


def problem(caps: list[float]) -> MixtureProblem:
    domains = DomainSet(tuple(f"d{i}" for i in range(len(caps))), (1,) * len(caps))
    return MixtureProblem.create(domains, upper=dict(zip(domains.names, caps, strict=True)))


def test_caps_hold_after_small_weights_are_left_out() -> None:
    capped = problem([0.5, 1, 1, 1])
    weights = np.array([0.5, 0.4, 0.06, 0.04])
    plain = np.where(weights < 0.1, 0, weights)
    assert (plain / plain.sum())[0] > 0.5  # what dividing by the sum does
    assert prune(weights, capped, minimum=0.1) == pytest.approx([0.5, 0.5, 0, 0])


def test_a_small_domain_comes_back_where_caps_need_it_the_largest_first() -> None:
    found = prune(np.array([0.48, 0.48, 0.03, 0.01]), problem([0.48, 0.48, 1, 1]), minimum=0.1)
    assert found == pytest.approx([0.48, 0.48, 0.04, 0])


@given(st.integers(0, 2**32 - 1), st.floats(0, 0.3))
def test_a_pruned_mixture_is_feasible_and_has_no_new_domain(seed: int, minimum: float) -> None:
    rng = np.random.default_rng(seed)
    d = int(rng.integers(1, 10))
    caps = rng.uniform(0, 1, d)
    capped = problem(np.minimum(caps + max(1.05 - caps.sum(), 0), 1.0).tolist())
    weights = project(rng.dirichlet(np.full(d, 0.3)), capped.lower, capped.caps)
    found = prune(weights, capped, minimum=minimum)
    assert abs(found.sum() - 1) < 1e-9
    assert np.all(found <= capped.caps + 1e-12)
    assert not np.any((found > 0) & (weights == 0))


def test_a_minimum_of_one_is_refused() -> None:
    with pytest.raises(InvalidInputError, match="minimum"):
        prune(np.array([1.0]), problem([1.0]), minimum=1.0)
