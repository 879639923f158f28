"""The sampler: exact shares, the same on every rank and in every restart, whatever the schedule."""

import hashlib
from collections import Counter

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mixclient import Sampler, Schedule, Stage

shares = st.lists(st.floats(0, 1, allow_nan=False), min_size=1, max_size=12).filter(
    lambda raw: sum(raw) > 0.01
)


def schedule(weights: list[float], *, samples: int, stages: tuple[Stage, ...] | None = None) -> Schedule:
    total = sum(weights)
    exact = tuple(weight / total for weight in weights)
    domains = tuple(f"d{i}" for i in range(len(weights)))
    return Schedule("job", 1, 1, samples, domains, stages or (Stage(0, exact, 1),))


@given(shares, st.integers(1, 200), st.integers(0, 2**40), st.integers(0, 10**9))
def test_the_count_of_a_domain_is_its_share_rounded_up_or_down_in_every_step(
    raw: list[float], samples: int, seed: int, step: int
) -> None:
    followed = schedule(raw, samples=samples)
    sampler = Sampler(followed, seed=seed)
    drawn = Counter(sampler.step(step))
    assert sum(drawn.values()) == samples
    for domain, weight in enumerate(followed.stages[0].weights):
        assert abs(drawn[domain] - samples * weight) < 1 + 1e-9
        if weight == 0:
            assert drawn[domain] == 0


@given(shares, st.integers(1, 64), st.integers(0, 2**40), st.integers(0, 10**6))
def test_shares_add_up_over_steps_far_better_than_random_draws(
    raw: list[float], samples: int, seed: int, start: int
) -> None:
    followed = schedule(raw, samples=samples)
    sampler = Sampler(followed, seed=seed)
    steps = 300
    totals = [0] * len(raw)
    for step in range(start, start + steps):
        for domain, count in enumerate(sampler.counts(step)):
            totals[domain] += count
    for total, weight in zip(totals, followed.stages[0].weights, strict=True):
        # Independent draws would scatter by sqrt(300 S w (1 - w)), up to 69 samples here.
        assert abs(total - steps * samples * weight) < 8


def test_any_rank_computes_any_sample() -> None:
    followed = schedule([0.5, 0.3, 0.2], samples=16)
    whole = [Sampler(followed, seed=3).step(step) for step in range(20)]
    for rank in range(4):
        alone = Sampler(followed, seed=3)
        assert [alone.step(step)[rank::4] for step in range(20)] == [row[rank::4] for row in whole]
    single = Sampler(followed, seed=3)
    assert [single.sample(index) for index in range(320)] == [domain for row in whole for domain in row]


def test_the_order_of_calls_does_not_matter() -> None:
    followed = schedule([0.5, 0.3, 0.2], samples=16)
    forward = {step: Sampler(followed, seed=1).step(step) for step in range(50)}
    sampler = Sampler(followed, seed=1)
    assert {step: sampler.step(step) for step in reversed(range(50))} == forward


def test_a_seed_gives_its_own_order_and_the_same_shares() -> None:
    followed = schedule([0.5, 0.25, 0.25], samples=64)
    first, second = Sampler(followed, seed=1).step(7), Sampler(followed, seed=2).step(7)
    assert first != second
    assert Counter(first) == Counter(second)


def test_domains_are_spread_over_the_ranks_of_a_step() -> None:
    followed = schedule([0.5, 0.5], samples=64)
    seen = [Sampler(followed, seed=0).step(step)[0::8].count(0) for step in range(400)]
    assert 3.7 < sum(seen) / len(seen) < 4.3
    assert len(set(seen)) > 3, "a rank sees random parts of a step and not always the same domains"


def test_weights_change_at_the_step_of_their_stage_and_not_before() -> None:
    stages = (Stage(0, (1.0, 0.0), 1), Stage(10, (0.0, 1.0), 2), Stage(12, (0.5, 0.5), 3))
    sampler = Sampler(schedule([1, 0], samples=4, stages=stages), seed=0)
    assert [sampler.counts(step) for step in (0, 9, 10, 11, 12)] == [[4, 0], [4, 0], [0, 4], [0, 4], [2, 2]]


def test_draws_are_the_same_on_every_machine_and_in_every_version() -> None:
    # A trainer that restarts under another interpreter must draw the same again: the digest is fixed.
    sampler = Sampler(schedule([0.61, 0.29, 0.07, 0.03], samples=96), seed=20261120)
    drawn = bytes(domain for step in range(100) for domain in sampler.step(step))
    assert hashlib.sha256(drawn).hexdigest() == FIXED


FIXED = "85372d4692b3c36ff5e921440b745ddd4cf488124430e9348c10b33d6ebce305"


@pytest.mark.parametrize("samples", [1, 2, 3])
def test_tiny_steps_still_give_every_domain_its_turn(samples: int) -> None:
    sampler = Sampler(schedule([0.96, 0.03, 0.01], samples=samples), seed=5)
    totals = Counter(domain for step in range(2000) for domain in sampler.step(step))
    assert totals[2] == pytest.approx(20 * samples, abs=3)
