"""The child process of a computation: bounded in time and memory, and honest about how it ended."""

import json
import subprocess
import sys
import threading
import time
from pathlib import Path
from typing import Any

import numpy as np
import psutil
import pytest

from mixlaws.simulation import Simulation
from service.compute.child import Children, ComputationError, InterruptedComputationError
from service.compute.swarms import dump_problem
from tests.service.embedded_postgres.actors import is_gone, until

GIBIBYTE = 1024**3
ROOT = Path(__file__).parents[2]
COMPUTE = (
    "import json, sys; from service.compute.child import Children; "
    "Children().compute('fit', json.load(sys.stdin), seconds=600, memory_bytes=8 * 1024**3)"
)


def compute(name: str, raw: dict[str, object], *, seconds: int, memory_bytes: int) -> dict[str, Any]:
    return Children().compute(name, raw, seconds=seconds, memory_bytes=memory_bytes)


def fit_input(count: int = 12, **more: object) -> dict[str, object]:
    simulation = Simulation.create(domains=3, rng=np.random.default_rng(0))
    swarm = simulation.swarm(count=count, noise=0.01, rng=np.random.default_rng(1))
    problem = dump_problem(simulation.problem)
    return {
        "problem": {**problem, "coefficients": [1 / 3] * 3},
        "swarm": {
            "targets": list(swarm.targets),
            "weights": swarm.weights.tolist(),
            "values": swarm.values.tolist(),
        },
        "method": "linear",
        "params": {},
        "folds": 4,
        "seed": 0,
        **more,
    }


def test_a_computation_is_a_function_of_its_input() -> None:
    first, again = (compute("fit", fit_input(), seconds=60, memory_bytes=8 * GIBIBYTE) for _ in range(2))
    for result in (first, again):
        result.pop("seconds")
        result.pop("fit_seconds")
    assert first == again
    assert first["runs"] == 12


def test_a_refusal_is_told_in_the_words_of_the_library() -> None:
    with pytest.raises(ComputationError, match=r"2 finished proxy runs; .* needs at least 4"):
        compute("fit", fit_input(method="exponential", count=2), seconds=60, memory_bytes=8 * GIBIBYTE)


def test_a_computation_ends_at_its_deadline() -> None:
    started = time.monotonic()
    slow = fit_input(count=200, method="lightgbm", params={"rounds": 100_000}, folds=100)
    with pytest.raises(ComputationError, match="not done within 2 seconds"):
        compute("fit", slow, seconds=2, memory_bytes=8 * GIBIBYTE)
    assert time.monotonic() - started < 30


def test_a_computation_without_memory_ends_and_says_so() -> None:
    with pytest.raises(ComputationError):
        compute("fit", fit_input(), seconds=60, memory_bytes=200 * 1024**2)


def test_stopping_ends_what_runs_and_starts_nothing_more() -> None:
    children = Children()
    slow = fit_input(count=200, method="lightgbm", params={"rounds": 100_000}, folds=100)
    stopper = threading.Timer(1.0, children.stop)
    stopper.start()
    started = time.monotonic()
    for _ in range(2):
        with pytest.raises(InterruptedComputationError):
            children.compute("fit", slow, seconds=300, memory_bytes=8 * GIBIBYTE)
    assert time.monotonic() - started < 30


def test_a_computation_ends_with_the_process_that_waits_for_it() -> None:
    slow = fit_input(count=200, method="lightgbm", params={"rounds": 100_000}, folds=100)
    with subprocess.Popen([sys.executable, "-c", COMPUTE], stdin=subprocess.PIPE, cwd=ROOT) as parent:
        assert parent.stdin is not None
        parent.stdin.write(json.dumps(slow).encode())
        parent.stdin.close()
        watched = psutil.Process(parent.pid)
        until(lambda: bool(watched.children()) or parent.poll() is not None)
        (child,) = watched.children()
        parent.kill()
    until(lambda: is_gone(child))
