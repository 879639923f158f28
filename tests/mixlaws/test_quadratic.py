"""The exact quadratic minimum, against its optimality conditions and against everything else feasible."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from mixlaws.errors import InfeasibleError, InvalidInputError
from mixlaws.optimality import kkt_gap
from mixlaws.quadratic import minimise_quadratic
from mixlaws.simplex import project


@given(st.integers(0, 2**32 - 1), st.integers(1, 14), st.integers(0, 14), st.floats(-6, 6), st.booleans())
def test_no_feasible_mixture_is_lower_whatever_the_rank_the_scale_and_the_bounds(
    seed: int, d: int, rank: int, exponent: float, ties: bool
) -> None:
    rng = np.random.default_rng(seed)
    factor = rng.normal(size=(d, rank))
    vector = rng.normal(size=d)
    if ties:  # equal slopes and equal bounds meet several at a time
        factor, vector = np.round(factor), np.round(vector)
    scale = 10.0**exponent
    matrix, vector = scale * factor @ factor.T, scale * vector
    lower = rng.uniform(0, 1 / d, d) * (rng.random(d) < 0.5)
    upper = np.minimum(np.maximum(lower, rng.uniform(0, 3 / d, d)), 1.0)
    upper = np.minimum(upper + max(1.0 - upper.sum(), 0.0), 1.0)
    weights = minimise_quadratic(matrix, vector, lower, upper)
    assert abs(weights.sum() - 1) < 1e-12
    assert np.all((weights >= lower) & (weights <= upper))
    assert kkt_gap(matrix @ weights - vector, weights, lower, upper) <= 1e-8 * scale * (1 + rank * 10)

    def value(rows: np.ndarray) -> np.ndarray:
        return np.asarray(0.5 * np.einsum("ij,jk,ik->i", rows, matrix, rows) - rows @ vector)

    others = project(rng.dirichlet(np.full(d, 0.5), size=50), lower, upper)
    assert value(others).min() >= value(weights[None, :])[0] - 1e-8 * scale * (1 + rank)


def test_the_gap_is_zero_at_an_optimum_whose_gradient_is_not() -> None:
    lower, upper = np.zeros(3), np.ones(3)
    at_optimum = np.array([0.5, 0.5, 0.0])
    assert kkt_gap(np.array([-2.0, -2.0, -1.0]), at_optimum, lower, upper) == 0
    assert kkt_gap(np.array([-2.0, -1.0, -1.0]), at_optimum, lower, upper) == pytest.approx(0.5)


def test_euclidean_distance_is_minimised_by_the_projection() -> None:
    rng = np.random.default_rng(0)
    lower, upper, point = np.full(6, 0.05), np.full(6, 0.4), rng.normal(size=6)
    found = minimise_quadratic(np.eye(6), point, lower, upper)
    assert found == pytest.approx(project(point, lower, upper), abs=1e-9)


def test_a_quadratic_that_is_not_convex_or_not_feasible_is_refused() -> None:
    free = (np.zeros(2), np.ones(2))
    with pytest.raises(InvalidInputError, match="not convex"):
        minimise_quadratic(np.diag([1.0, -1.0]), np.zeros(2), *free)
    with pytest.raises(InvalidInputError, match="not symmetric"):
        minimise_quadratic(np.array([[1.0, 0.5], [0.0, 1.0]]), np.zeros(2), *free)
    with pytest.raises(InvalidInputError, match="NaN"):
        minimise_quadratic(np.eye(2), np.array([np.nan, 0]), *free)
    with pytest.raises(InfeasibleError):
        minimise_quadratic(np.eye(2), np.zeros(2), np.zeros(2), np.full(2, 0.4))
