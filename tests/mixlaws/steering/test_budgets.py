"""Epoch budgets, against a reader that follows a plan step by step."""

import math
from collections.abc import Sequence

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from mixlaws.arrays import BoolArray, FloatArray
from mixlaws.domains import DomainSet
from mixlaws.problem import MixtureProblem
from mixlaws.steering.budgets import Placed, budget, dry_steps, within_budgets
from mixlaws.steering.guards import Guards

TOKENS = 7.0  # of a step
STEP, UNTIL = 5, 60
seeds = st.integers(0, 2**32 - 1)


def world(seed: int) -> tuple[list[Placed], FloatArray]:
    """A plan of one to four stages, and what is left of each domain: all, much, little or nothing."""
    rng = np.random.default_rng(seed)
    d = int(rng.integers(1, 7))
    starts = [0, *sorted(rng.choice(np.arange(1, 70), int(rng.integers(0, 4)), replace=False).tolist())]
    shares = (
        rng.dirichlet(np.full(d, 0.7), len(starts)) * (rng.random((len(starts), d)) < 0.8)
        + 1e-9 * np.eye(d)[0]
    )
    plan = [Placed(at, row / row.sum()) for at, row in zip(starts, shares, strict=True)]
    left = rng.choice([0.0, 1.0, np.inf], d, p=[0.1, 0.7, 0.2]) * rng.uniform(0, 80 * TOKENS / d, d)
    return plan, left


def at(plan: Sequence[Placed], step: int) -> FloatArray:
    return next((stage for stage in reversed(plan) if stage.effective_step <= step), plan[0]).weights


def read(plan: Sequence[Placed], step_from: int, step_to: int) -> FloatArray:
    """(d,) tokens that a reader takes, step by step."""
    return sum(
        (at(plan, step) * TOKENS for step in range(step_from, step_to)), np.zeros(len(plan[0].weights))
    )


def guards(d: int, seed: int) -> Guards:
    return Guards(floor=seed % 3 * 0.1 / d, spread=("proportional", "prior", "equal")[seed % 3])


@given(seeds)
def test_the_forecast_is_what_a_reader_finds(seed: int) -> None:
    plan, left = world(seed)
    found: list[int | None] = [None] * len(left)
    used = np.zeros(len(left))
    for step in range(STEP, 150):
        for domain in np.flatnonzero(used >= left):
            found[domain] = step if found[domain] is None else found[domain]
        used += at(plan, step) * TOKENS
    told = [None if step is None or step >= 150 else step for step in dry_steps(plan, left, TOKENS, STEP)]
    assert told == found


@given(seeds, st.integers(1, 6))
def test_no_budget_is_overdrawn_and_nearly_all_of_it_is_read(seed: int, reserve: int) -> None:
    plan, left = world(seed)
    d = len(left)
    names = tuple(f"domain-{index}" for index in range(d))
    bound = guards(d, seed).bind(MixtureProblem.create(DomainSet(names, tuple(range(1, d + 1)))))
    plan = [Placed(stage.effective_step, bound.zeroed(stage.weights)) for stage in plan]
    new, out = within_budgets(plan, left, TOKENS, STEP, until=UNTIL, reserve=reserve, zeroed=bound.zeroed)
    end = max(out.values()) if len(out) == d else UNTIL  # from there on nothing is left to read
    assert np.all(read(new, STEP, end) <= left + 1e-6)
    if not out:
        assert all(one is other for one, other in zip(new, plan, strict=True))
    active = np.ones(d, dtype=bool)
    for domain, zero in out.items():
        assert STEP <= zero < UNTIL
        assert all(at(new, step)[domain] == 0 for step in range(zero, end))
        # Had it stayed with those that are left, it would have run dry within the reserve.
        stayed = [Placed(s.effective_step, bound.zeroed(s.weights, active)) for s in plan]
        unread = left[domain] - read(new, STEP, zero)[domain]
        assert unread <= read(stayed, zero, zero + reserve)[domain] + 1e-6
        active[domain] = False
    for step in range(STEP):
        assert np.array_equal(at(new, step), at(plan, step))


def test_the_shares_of_exact_budgets_end_on_the_step() -> None:
    plan = [Placed(0, np.array([0.1, 0.2, 0.7]))]
    for steps in range(1, 100):
        left = steps * plan[0].weights * TOKENS  # hardly a whole number of tokens
        assert dry_steps(plan, left, TOKENS, STEP) == [STEP + steps] * 3
    # What is used up within the last step of a stage is so, though the next one reads none of it.
    turned = [Placed(0, np.array([0.5, 0.5])), Placed(10, np.array([0.0, 1.0]))]
    assert dry_steps(turned, np.array([9.5 * 0.5 * TOKENS, np.inf]), TOKENS, 0) == [10, None]
    # A run that reads everything exactly once is left as it is.
    even = 60 * plan[0].weights * TOKENS

    def never(weights: FloatArray, active: BoolArray) -> FloatArray:
        raise AssertionError(f"{weights} without {~active}: nothing runs dry before the end")

    new, out = within_budgets(plan, even, TOKENS, 0, until=60, reserve=5, zeroed=never)
    assert (new[0] is plan[0], len(new), out) == (True, 1, {})


def test_a_share_that_is_spread_makes_others_run_dry_earlier() -> None:
    # b would last 100 steps at half of 10 tokens. From step 8 on it has all of it: 460 tokens are 46 steps.
    plan, left = [Placed(0, np.array([0.5, 0.5]))], np.array([50.0, 500.0])
    bound = Guards().bind(MixtureProblem.create(DomainSet(("a", "b"), (1, 1))))
    new, out = within_budgets(plan, left, 10.0, 0, until=99, reserve=2, zeroed=bound.zeroed)
    assert out == {0: 8, 1: 8 + 46 - 2}
    assert [(stage.effective_step, stage.weights.tolist()) for stage in new] == [
        (0, [0.5, 0.5]),
        (8, [0.0, 1.0]),
        (52, [0.5, 0.5]),  # nothing is left: the plan holds as it was given
    ]


def test_a_budget_is_tokens_times_epochs() -> None:
    problem = MixtureProblem.create(DomainSet(("a", "b"), (100, 10)), max_epochs={"b": 2.5})
    assert budget(problem).tolist() == [math.inf, 25.0]
    assert budget(MixtureProblem.create(problem.domains)).tolist() == pytest.approx([math.inf] * 2)
