"""Coupling tells reused domains that serve the targets of recomputed ones from those that do not."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from mixlaws.errors import InvalidInputError
from mixlaws.reuse.coupling import coupling, exposure


def test_a_domain_that_serves_the_targets_of_the_new_one_is_coupled_and_another_is_not() -> None:
    # Targets: prose, code. Domains: books, web pages about software, code (new), noise.
    slopes = np.array([[-1.0, 0.0, 0.0, 0.0], [0.0, -0.5, -1.0, 0.0]])
    weights = np.array([0.0, 0.0, 0.0, 1.0])
    found = coupling(slopes, weights, [2])
    assert found == pytest.approx([0, 1, 1, 0], abs=1e-12)


@given(st.integers(0, 2**32 - 1), st.floats(0.01, 100))
def test_neither_a_common_slope_nor_a_unit_changes_coupling(seed: int, unit: float) -> None:
    # Weights sum to 1: a constant in all slopes of a target moves nothing.
    rng = np.random.default_rng(seed)
    slopes, weights = rng.normal(size=(4, 6)), rng.dirichlet(np.ones(6))
    plain = coupling(slopes, weights, [0, 3])
    assert coupling(unit * (slopes + rng.normal(size=(4, 1))), weights, [0, 3]) == pytest.approx(
        plain, abs=1e-6
    )
    assert np.all((plain >= 0) & (plain <= 1))


def test_targets_outside_the_objective_couple_nothing() -> None:
    slopes = np.array([[-1.0, 0.0, 0.3], [-1.0, -1.0, 0.0]])
    weights = np.array([0.0, 0.0, 1.0])
    both = coupling(slopes, weights, [0])
    first_alone = coupling(slopes, weights, [0], coefficients=np.array([1.0, 0.0]))
    second_alone = coupling(slopes, weights, [0], coefficients=np.array([0.0, 1.0]))
    assert second_alone[1] == pytest.approx(1)
    assert both[1] < 1
    assert first_alone[1] == pytest.approx(1)  # a lower share of either is a higher one of the third


def test_a_coupled_domain_without_weight_is_not_exposed_and_a_heavy_one_is() -> None:
    # Both old domains serve what the new one serves; the first is hardly used.
    slopes = np.array([[-1.0, -1.0, -1.0, 0.0]])
    found = exposure(slopes, np.array([0.01, 0.5, 0.0, 0.49]), [2])
    assert found[0] < 0.05 * found[1]
    assert found[2] == 0


def test_nothing_to_recompute_is_an_error() -> None:
    with pytest.raises(InvalidInputError, match="at least one"):
        coupling(np.ones((1, 2)), np.array([0.5, 0.5]), [])
