"""The capped simplex: projection and filling against optimality conditions, under random input."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from mixlaws.errors import InfeasibleError, InvalidInputError, WeightsError
from mixlaws.simplex import as_weights, fill, normalise, project, tempered

sizes = st.integers(1, 12)
unit = st.floats(0, 1, allow_nan=False)


@st.composite
def bounded_points(draw: st.DrawFn) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    d = draw(sizes)
    lower = draw(arrays(np.float64, d, elements=unit)) / (2 * d)
    upper = np.minimum(lower + draw(arrays(np.float64, d, elements=unit)), 1.0)
    if upper.sum() < 1:
        upper = np.minimum(upper + (1 - upper.sum()), 1.0)
    point = draw(arrays(np.float64, d, elements=st.floats(-50, 50, allow_nan=False)))
    return point, lower, upper


@given(bounded_points())
def test_a_projection_is_feasible_and_no_feasible_point_is_closer(
    case: tuple[np.ndarray, np.ndarray, np.ndarray],
) -> None:
    point, lower, upper = case
    projected = project(point, lower, upper)
    assert abs(projected.sum() - 1) <= 1e-12
    assert np.all(projected >= lower)
    assert np.all(projected <= upper)
    # Variational inequality: <x - p, y - p> <= 0 for every feasible y; vertices of the set suffice, and
    # the worst of them fills the entries of largest x - p first.
    slope = point - projected
    vertex, left = lower.copy(), 1 - lower.sum()
    for j in np.argsort(-slope):
        vertex[j] += min(left, upper[j] - lower[j])
        left = 1 - vertex.sum()
    assert slope @ (vertex - projected) <= 1e-8 * (1 + np.abs(point).max())


@given(bounded_points())
def test_a_feasible_point_is_its_own_projection(case: tuple[np.ndarray, np.ndarray, np.ndarray]) -> None:
    point, lower, upper = case
    once = project(point, lower, upper)
    assert project(once, lower, upper) == pytest.approx(once, abs=1e-12)


def test_rows_are_projected_as_if_alone(rng: np.random.Generator) -> None:
    points = rng.normal(size=(200, 7))
    lower, upper = np.full(7, 0.01), np.full(7, 0.4)
    together = project(points, lower, upper)
    assert np.array_equal(together, np.stack([project(point, lower, upper) for point in points]))


@given(bounded_points())
def test_filling_keeps_ratios_where_no_bound_holds(case: tuple[np.ndarray, np.ndarray, np.ndarray]) -> None:
    point, lower, upper = case
    shares = np.exp(np.clip(point, -5, 5))
    filled = fill(shares, lower, upper)
    assert abs(filled.sum() - 1) <= 1e-12
    assert np.all(filled >= lower)
    assert np.all(filled <= upper)
    free = (filled > lower + 1e-9) & (filled < upper - 1e-9)
    if free.sum() >= 2:
        ratios = filled[free] / shares[free]
        assert np.ptp(ratios) <= 1e-6 * ratios.max()


def test_an_excess_over_a_cap_goes_to_the_others_in_proportion() -> None:
    filled = fill(np.array([0.8, 0.1, 0.1]), np.zeros(3), np.array([0.5, 1.0, 1.0]))
    assert filled == pytest.approx([0.5, 0.25, 0.25])


@pytest.mark.parametrize(
    ("weights", "message"),
    [
        ([0.5, 0.6], "sum to 1.1"),
        ([1.2, -0.2], "must not be negative"),
        ([np.nan, 1.0], "NaN or infinite"),
        ([0.0, 0.0], "sum to 0"),
        ([], "shape"),
    ],
)
def test_weights_off_the_simplex_are_refused_with_their_value(weights: list[float], message: str) -> None:
    with pytest.raises(WeightsError, match=message):
        as_weights(weights)


def test_rounded_rows_of_a_file_are_renormalised_and_negative_zero_becomes_zero() -> None:
    weights = as_weights([0.333, 0.333, 0.333, -0.0], tolerance=1e-2)
    assert weights.sum() == pytest.approx(1, abs=1e-15)
    assert not np.signbit(weights).any()


def test_bounds_without_a_mixture_are_named() -> None:
    with pytest.raises(InfeasibleError, match=r"upper bounds and caps sum to 0.6"):
        project(np.zeros(2), np.zeros(2), np.array([0.3, 0.3]))
    with pytest.raises(InfeasibleError, match=r"lower bounds sum to 1.4"):
        project(np.zeros(2), np.array([0.7, 0.7]), np.ones(2))
    with pytest.raises(InvalidInputError, match="NaN or infinity"):
        project(np.array([np.nan, 0]), np.zeros(2), np.ones(2))


def test_tempering_runs_from_uniform_to_unchanged() -> None:
    weights = np.array([0.7, 0.2, 0.1])
    assert tempered(weights, exponent=0.0) == pytest.approx([1 / 3] * 3)
    assert tempered(weights, exponent=1.0) == pytest.approx(weights)
    with pytest.raises(WeightsError):
        normalise([0.0, 0.0])
