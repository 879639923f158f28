"""Guards around a policy: what reaches it, and what may leave it."""

import json
from dataclasses import asdict
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from mixlaws.domains import DomainSet
from mixlaws.errors import InvalidInputError, UnknownDomainError
from mixlaws.feedback import Feedback
from mixlaws.problem import MixtureProblem
from mixlaws.steering.guards import BoundGuards, Guards

ABC = MixtureProblem.create(DomainSet(("a", "b", "c"), (6, 3, 1)))
SPREADS = ("proportional", "prior", "equal")


def any_weights(rng: np.random.Generator, d: int) -> np.ndarray:
    """Mixtures from even to one-hot, some with domains at 0."""
    weights = rng.dirichlet(np.full(d, 10 ** rng.uniform(-2, 1))) * (rng.random(d) < 0.8)
    return np.asarray(np.eye(d)[0] if weights.sum() == 0 else weights / weights.sum())


def any_guards(rng: np.random.Generator, d: int, **more: Any) -> BoundGuards:
    """Guards with limits of single domains, around one mixture at least."""
    names = tuple(f"domain-{index}" for index in range(d))
    inside = rng.dirichlet(np.ones(d))
    floor, ceiling = inside * rng.uniform(0, 1, d), inside + (1 - inside) * rng.random(d) ** 3
    limits = {
        "floor": dict(zip(names, floor, strict=True)),
        "ceiling": dict(zip(names, ceiling, strict=True)),
    }
    spread, gamma = SPREADS[rng.integers(3)], rng.choice([0.0, 0.2])
    guards = Guards(**{"spread": spread, "tempering": float(gamma), **limits, **more})
    return guards.bind(MixtureProblem.create(DomainSet(names, tuple(rng.integers(1, 1000, d).tolist()))))


def turned(guards: BoundGuards, order: np.ndarray) -> BoundGuards:
    """The same guards of the same domains in another order."""
    names = tuple(guards.names[at] for at in order)
    prior = dict(zip(names, guards.prior[order], strict=True))
    return guards.guards.bind(MixtureProblem.create(DomainSet(names, (1,) * len(names)), prior=prior))


@given(st.integers(0, 2**32 - 1), st.integers(1, 8))
def test_whatever_a_policy_says_a_mixture_within_the_limits_leaves(seed: int, d: int) -> None:
    rng = np.random.default_rng(seed)
    guards, weights, active = any_guards(rng, d), any_weights(rng, d), rng.random(d) < 0.7
    left = guards.within(weights, active)
    assert abs(left.sum() - 1) <= 1e-12
    if not active.any():
        assert np.array_equal(left, weights)
        return
    assert not left[~active].any()
    assert np.all(left[active] >= guards.floor[active] - 1e-12)
    # Where the ceilings hold no whole mixture, they give way together.
    room = min(guards.ceiling[active].sum(), 1.0)
    assert np.all(left[active] <= guards.ceiling[active] / room + 1e-12)
    order = rng.permutation(d)
    assert turned(guards, order).within(weights[order], active[order]) == pytest.approx(
        left[order], abs=1e-12
    )
    assert guards.zeroed(left, active) == pytest.approx(left, abs=1e-12)


def test_what_is_within_the_limits_stays_the_very_same() -> None:
    weights = np.array([0.5, 0.3, 0.2])
    assert Guards(floor=0.2, ceiling={"a": 0.5}).bind(ABC).within(weights, np.ones(3, bool)) is weights


@pytest.mark.parametrize(
    ("spread", "expected"),
    [("proportional", [0.6, 0.4]), ("prior", [0.636, 0.364]), ("equal", [0.546, 0.454])],
)
def test_the_share_of_a_domain_that_is_out_goes_where_it_is_told(spread: Any, expected: list[float]) -> None:
    # .54 of c are to be spread, by .276 : .184, by the prior 6 : 3, or by halves.
    guards, weights = Guards(spread=spread).bind(ABC), np.array([0.276, 0.184, 0.54])
    assert guards.within(weights, np.array([True, True, False])) == pytest.approx([*expected, 0.0])


def test_a_weight_of_nought_needs_no_share_unless_the_others_are_full() -> None:
    guards = Guards(ceiling={"a": 0.6}).bind(ABC)
    assert guards.within(np.array([0.9, 0.1, 0.0])).tolist() == pytest.approx([0.6, 0.4, 0.0])
    assert guards.within(np.array([1.0, 0.0, 0.0])) == pytest.approx([0.6, 0.2, 0.2])


def test_tempering_keeps_a_part_of_the_prior() -> None:
    tempered = Guards(tempering=0.25).bind(ABC).within(np.array([0.0, 0.0, 1.0]))
    assert tempered == pytest.approx([0.15, 0.075, 0.775])


@given(
    arrays(np.float64, 3, elements=st.floats(allow_nan=True, allow_infinity=True, width=64)),
    st.lists(st.integers(0, 5000), min_size=3, max_size=3),
)
def test_guards_let_only_finite_and_bounded_losses_through(sums: np.ndarray, counts: list[int]) -> None:
    raw = Feedback(1, sums, np.array(counts), np.full(3, 1 / 3))
    admitted = Guards(loss_ceiling=20.0).bind(ABC).admit(raw)
    seen = admitted.losses[admitted.observed]
    assert np.all(np.isfinite(seen))
    assert np.all(seen <= 20.0 + 1e-9)
    assert not admitted.observed[~np.isfinite(sums)].any()


@pytest.mark.parametrize(
    ("limits", "told"),
    [
        ({"floor": 0.4}, "sum to 1.2 and ceilings that sum to 3 admit no mixture"),
        ({"ceiling": {"a": 0.2, "b": 0.2, "c": 0.2}}, "admit no mixture"),
        ({"floor": {"b": 0.3}, "ceiling": 0.25}, "'b' has floor 0.3 above ceiling 0.25"),
        ({"floor": {"a": -0.1}}, "floor is {'a': -0.1}"),
        ({"ceiling": float("nan")}, "ceiling is nan"),
        ({"tempering": 1.5}, "tempering is 1.5: use a part from 0 to 1"),
        ({"trust_kl": 0.0}, "trust_kl is 0.0"),
        ({"trust_ratio": 1.0}, "trust_ratio is 1.0: use a factor > 1"),
        ({"warmup_steps": 100, "cooldown_step": 50}, "cooldown_step is 50: .* warm-up, 100"),
        ({"spread": "evenly"}, "spread is 'evenly': use one of proportional, prior, equal"),
        ({"freeze_after_non_finite": 0}, "freeze_after_non_finite is 0"),
        ({"loss_spike": float("inf")}, "loss_spike is inf"),
    ],
)
def test_guards_that_cannot_hold_are_refused(limits: dict[str, Any], told: str) -> None:
    with pytest.raises(InvalidInputError, match=told):
        Guards(**limits).bind(ABC)


def test_a_limit_of_an_unknown_domain_is_refused_and_a_configuration_is_json() -> None:
    with pytest.raises(UnknownDomainError, match="did you mean"):
        Guards(floor={"a": 0.1, "bb": 0.1}).bind(ABC)
    guards = Guards(floor={"a": 0.1}, trust_kl=0.05, cooldown_step=9)
    assert Guards(**json.loads(json.dumps(asdict(guards)))) == guards
