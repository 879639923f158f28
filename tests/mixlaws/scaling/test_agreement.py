"""What is reported between scales: ranks and calibrated R², target by target, and never bare R²."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from mixlaws.domains import DomainSet
from mixlaws.errors import InvalidInputError, SwarmTooSmallError
from mixlaws.scaling.agreement import scale_agreement
from mixlaws.swarm import Swarm
from mixlaws.validation import affine_calibrated_r2, score

DOMAINS = DomainSet(("a", "b"), (1, 1))


def swarm(values: np.ndarray, *, targets: tuple[str, ...] = ("x", "y")) -> Swarm:
    first = np.linspace(0.1, 0.9, len(values))
    return Swarm(DOMAINS, targets, np.stack([first, 1 - first], axis=1), values)


def test_a_shift_of_level_ruins_r2_and_leaves_rank_and_calibrated_r2_alone() -> None:
    rng = np.random.default_rng(0)
    large = 2.0 + 0.05 * rng.standard_normal((30, 2))
    small = 1.2 * large + 1.0 + 0.002 * rng.standard_normal((30, 2))
    bare = score(large[:, 0], small[:, 0])
    assert bare.r2 is not None
    assert bare.r2 < -500
    found = scale_agreement(swarm(small), swarm(large))["x"]
    assert found.spearman is not None
    assert found.spearman > 0.97
    assert found.affine_r2 is not None
    assert found.affine_r2 > 0.99
    assert found.shift == pytest.approx(-1.4, abs=0.05)


def test_agreement_is_told_for_each_target_since_small_domains_transfer_worse() -> None:
    rng = np.random.default_rng(1)
    large = 2.0 + 0.05 * rng.standard_normal((40, 2))
    small = large + 1.0
    small[:, 1] = 3.0 + 0.05 * rng.standard_normal(40)  # the second target says nothing at the small scale
    found = scale_agreement(swarm(small), swarm(large))
    assert found["x"].spearman == pytest.approx(1.0)
    assert abs(found["y"].spearman or 0.0) < 0.5
    assert (found["y"].affine_r2 or 0.0) < 0.3


def test_mixtures_are_matched_by_what_they_are_and_repeats_are_averaged() -> None:
    values = np.array([[2.0], [3.0], [4.0], [6.0]])
    small, large = swarm(values, targets=("x",)), swarm(values + 1, targets=("x",))
    turned = large.take([3, 1, 0, 2, 2])
    assert scale_agreement(small, turned)["x"].shift == pytest.approx(1.0)
    assert scale_agreement(small.take([0, 1, 2]), turned)["x"].spearman == pytest.approx(1.0)


def test_what_cannot_be_compared_is_refused() -> None:
    values = np.arange(8.0).reshape(4, 2)
    with pytest.raises(SwarmTooSmallError, match="2 finished proxy runs"):
        scale_agreement(swarm(values).take([0, 1]), swarm(values))
    with pytest.raises(InvalidInputError, match="no target in common"):
        scale_agreement(swarm(values), swarm(values, targets=("u", "v")))
    other = Swarm(DomainSet(("c", "d"), (1, 1)), ("x", "y"), swarm(values).weights, values)
    with pytest.raises(InvalidInputError, match="different domains"):
        scale_agreement(swarm(values), other)


@given(
    st.lists(st.floats(-5, 5), min_size=4, max_size=12, unique=True),
    st.floats(0.1, 10.0),
    st.floats(-10.0, 10.0),
    st.integers(0, 1000),
)
def test_calibrated_r2_knows_no_unit_and_no_level_and_turns_nothing_round(
    values: list[float], unit: float, level: float, seed: int
) -> None:
    predicted = np.round(np.array(values), 3)
    measured = predicted + np.random.default_rng(seed).standard_normal(len(values))
    plain = affine_calibrated_r2(measured, predicted)
    assert plain is not None
    assert 0 <= plain <= 1 + 1e-12
    assert affine_calibrated_r2(measured, unit * predicted + level) == pytest.approx(plain, abs=1e-6)
    assert affine_calibrated_r2(measured, -measured) == 0.0
    assert affine_calibrated_r2(measured, np.ones_like(measured)) == 0.0
    assert affine_calibrated_r2(np.ones_like(measured), predicted) is None
