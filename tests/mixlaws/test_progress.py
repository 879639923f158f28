"""How far a computation is: a share of the whole, from whatever part tells it."""

from contextlib import suppress

import numpy as np
import pytest

from mixlaws.auto.auto import Auto
from mixlaws.auto.members import MEMBERS
from mixlaws.progress import listening, part, through
from mixlaws.simulation import Simulation


def test_parts_of_parts_add_up_to_the_whole_by_what_they_cost() -> None:
    told: list[tuple[str, float]] = []
    with listening(lambda stage, share: told.append((stage, share))):
        with part(0.0, 0.5, "first"):
            assert list(through("ab")) == ["a", "b"]
        for item in through([1, 3], costs=[1, 3], start=0.5, stage=lambda cost: f"costs {cost}"):
            with part(0.5, 1.0):
                assert item
    assert told == [
        ("first", 0.0), ("first", 0.0), ("first", 0.25),
        ("costs 1", 0.5), ("costs 1", pytest.approx(0.5625)),
        ("costs 3", pytest.approx(0.625)), ("costs 3", pytest.approx(0.8125)),
    ]  # fmt: skip


def test_a_part_that_fails_leaves_the_rest_in_its_place() -> None:
    told: list[float] = []
    with listening(lambda _, share: told.append(share)):
        for item in through("ab"):
            with suppress(ZeroDivisionError):
                assert not [1 / 0 for _ in through(item + "y")]
    assert told == [0.0, 0.0, 0.5, 0.5]
    with part(0.0, 1.0):
        assert len(told) == 4, "nobody listens any more"


def test_auto_names_each_member_and_its_share_never_falls(rng: np.random.Generator) -> None:
    swarm = Simulation.create(domains=3, rng=rng).swarm(count=12, noise=0.01, rng=rng)
    told: list[tuple[str, float]] = []
    with listening(lambda stage, share: told.append((stage, share))):
        Auto().fit(swarm, rng=rng)
    shares = [share for _, share in told]
    assert shares == sorted(shares)
    assert 0.5 < shares[-1] <= 1.0
    assert {f"trying {name}" for name in MEMBERS} == {stage for stage, _ in told}
