"""Clients of an installation in which things go wrong at random: their histories are what they must be.

MIXWRIGHT_SOAK_SCHEDULES=200 python -m pytest tests/faults/test_random_faults.py     (or: make soak)
"""

import os
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.support.histories.driving import VARIABLE, run
from tests.support.histories.faults import drawn
from tests.support.histories.world import REPLICAS, World, built

FEW = 10  # in every run of all tests


@pytest.fixture(scope="module")
def world(tmp_path_factory: pytest.TempPathFactory) -> Iterator[World]:
    with built(tmp_path_factory.mktemp("world")) as installation:
        yield installation


@pytest.mark.parametrize("seed", range(int(os.environ.get(VARIABLE, FEW))))
def test_whatever_fails_nothing_is_lost_or_counted_twice(
    world: World, seed: int, tmp_path: Path, record_property: Callable[[str, Any], None]
) -> None:
    faults = drawn(seed, replicas=REPLICAS)
    record_property("faults", [fault.kind for fault in faults])
    ended = run(world, seed, faults, tmp_path)
    record_property("operations", ended.counted())
    record_property("violations", len(ended.violations))
    assert not ended.violations, "\n".join([*map(str, faults), *ended.violations])
