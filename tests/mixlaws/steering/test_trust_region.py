"""The trust region: how far a mixture may move in one update."""

from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from mixlaws.domains import DomainSet
from mixlaws.problem import MixtureProblem
from mixlaws.steering.guards import BoundGuards, Guards
from mixlaws.steering.trust_region import COUNTED

regions = st.fixed_dictionaries(
    {
        "trust_kl": st.one_of(st.none(), st.floats(1e-3, 0.5)),
        "trust_ratio": st.one_of(st.none(), st.floats(1.05, 3.0)),
    }
)
worlds = st.tuples(st.integers(0, 2**32 - 1), st.integers(2, 8))


def bound(d: int, **limits: Any) -> BoundGuards:
    names = tuple(f"domain-{index}" for index in range(d))
    return Guards(**limits).bind(MixtureProblem.create(DomainSet(names, tuple(range(1, d + 1)))))


def mixtures(world: tuple[int, int], *, least: float = 0.0) -> tuple[np.ndarray, np.ndarray]:
    """Where to and where from; none has a share below `least`, and some are nearly one-hot."""
    rng, d = np.random.default_rng(world[0]), world[1]
    raw = np.array([rng.dirichlet(np.full(d, 10 ** rng.uniform(-1, 1))) + 1e-9 for _ in range(2)])
    to, start = least + (1 - d * least) * raw / raw.sum(axis=1, keepdims=True)
    return to, start


def breaks(guards: Guards, new: np.ndarray, anchor: np.ndarray, slack: float) -> bool:
    """Whether a mixture is out of the region by more than a part of its size."""
    base = np.maximum(anchor, COUNTED)
    ratio = np.maximum(new, COUNTED) / base
    seen = new > 0
    too_far = guards.trust_kl is not None and (
        (new[seen] * np.log(new[seen] / base[seen])).sum() > guards.trust_kl * (1 + slack)
    )
    return too_far or (
        guards.trust_ratio is not None
        and max(ratio.max(), 1 / ratio.min()) > guards.trust_ratio * (1 + slack)
    )


@given(worlds, regions)
def test_the_region_holds_and_is_used_up(world: tuple[int, int], region: dict[str, Any]) -> None:
    weights, anchor = mixtures(world)
    guards = bound(world[1], **region)
    new = guards.near(weights, anchor)
    assert abs(new.sum() - 1) <= 1e-12
    assert not breaks(guards.guards, new, anchor, 1e-12)
    if new is not weights:
        assert breaks(guards.guards, new + 1e-5 * (weights - anchor), anchor, 0.0)
        part = (new - anchor) @ (weights - anchor) / ((weights - anchor) @ (weights - anchor))
        assert new == pytest.approx(anchor + part * (weights - anchor), abs=1e-12)
        just_beyond = anchor + min(1.0, part * 1.01) * (weights - anchor)
        assert guards.near(just_beyond, anchor) == pytest.approx(new, abs=1e-6)
    assert np.array_equal(guards.near(anchor, anchor), anchor)
    order = np.random.default_rng(0).permutation(world[1])
    assert guards.near(weights[order], anchor[order]) == pytest.approx(new[order], abs=1e-9)


@given(worlds)
def test_limits_that_hold_at_both_ends_hold_on_the_way(world: tuple[int, int]) -> None:
    weights, anchor = mixtures(world, least=0.01)
    ceiling = max(weights.max(), anchor.max())
    guards = bound(world[1], floor=0.01, ceiling=ceiling, trust_ratio=1.2, trust_kl=0.01)
    new = guards.near(weights, anchor)
    assert new.min() >= 0.01 - 1e-15
    assert new.max() <= ceiling + 1e-15


@pytest.mark.parametrize(
    "region", [{"trust_kl": 0.02}, {"trust_ratio": 1.25}, {"trust_kl": 0.05, "trust_ratio": 1.5}]
)
@pytest.mark.parametrize("back", [[0.0, 0.2, 0.8], [0.0, 0.0, 1.0]])
def test_a_mixture_that_stays_is_reached_and_a_domain_comes_back_from_nought(
    region: dict[str, float], back: list[float]
) -> None:
    guards, weights, now = bound(3, **region), np.array([0.7, 0.29, 0.01]), np.array(back)
    for _ in range(100):
        now = guards.near(weights, now)
    assert np.array_equal(now, weights)


def test_a_domain_that_is_out_leaves_at_once_and_holds_the_rest_back_from_where_its_share_went() -> None:
    guards = bound(3, trust_ratio=1.1, ceiling=0.7)
    anchor, weights = np.array([0.4, 0.2, 0.4]), np.array([0.3, 0.7, 0.0])
    # Without the last domain the anchor is (2/3, 1/3, 0).
    assert guards.near(weights, anchor) == pytest.approx([2 / 3 - 1 / 30, 1.1 / 3, 0.0])
    # One-hot, the rest has the whole share: its ceiling gives way.
    assert guards.near(np.array([0.0, 1.0, 0.0]), anchor).tolist() == [0.0, 1.0, 0.0]
