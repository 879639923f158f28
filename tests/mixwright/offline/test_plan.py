"""`mixwright plan`: how many runs it takes, as a table and as JSON, with an account of the model sizes."""

import json
from pathlib import Path

import numpy as np

from mixlaws.simulation import Simulation
from mixlaws.swarm import Swarm
from tests.mixwright.commands import Command
from tests.mixwright.offline.swarms import simulated


def test_a_plan_says_how_many_runs_and_on_what_it_rests(command: Command, tmp_path: Path) -> None:
    path = tmp_path / "runs.csv"
    simulated(path)
    arguments = ("plan", str(path), "--within", "0.002", "--method", "gaussian_process")
    done = command(*arguments, "--json")
    assert done.code == 0, done.err
    found = json.loads(done.out)
    assert found["status"] in {"reached", "planned"}
    assert found["interval"][0] <= found["interval"][1]
    assert [point["runs"] for point in found["points"]] == sorted(point["runs"] for point in found["points"])
    assert found["points"][-1]["regret"] < found["points"][0]["regret"]
    shown = command(*arguments)
    assert found["verdict"] in shown.out
    assert "held-out error" in shown.out
    assert json.loads(command(*arguments, "--json").out)["needed"] == found["needed"]


def test_a_regret_of_nothing_is_refused(command: Command, tmp_path: Path) -> None:
    path = tmp_path / "runs.csv"
    simulated(path)
    refused = command("plan", str(path), "--within", "0", "--method", "linear")
    assert "use a finite value > 0" in refused.sentence


def of_sizes(path: Path, sizes: dict[int, float]) -> None:
    """A table of 20 mixtures at each size, with a noise of its own."""
    rng = np.random.default_rng(3)
    simulation = Simulation.create(domains=3, rng=rng)
    weights = simulation.swarm(count=20, noise=0.0, rng=rng).weights
    names = simulation.problem.domains.names
    lines = [",".join(["run", *(f"weight_{name}" for name in names), *names, "model_parameters", "tokens"])]
    for size, noise in sizes.items():
        swarm: Swarm = simulation.measure(weights, noise=noise, rng=rng)
        for row in range(len(swarm)):
            numbers = [*map(repr, map(float, weights[row])), *map(repr, map(float, swarm.values[row]))]
            lines.append(",".join([f"{size}-{row}", *numbers, str(size), str(20 * size)]))
    path.write_text("\n".join(lines) + "\n", encoding="utf-8")


def test_sizes_are_ranked_by_what_they_tell_of_the_largest_per_flop(command: Command, tmp_path: Path) -> None:
    path = tmp_path / "runs.csv"
    of_sizes(path, {1_000_000: 3.0, 10_000_000: 0.01, 100_000_000: 0.01})
    arguments = ("plan", str(path), "--method", "linear")
    found = json.loads(command(*arguments, "--json").out)
    noise, good, largest = found["sizes"]
    assert (noise["common"], good["common"]) == (20, 20)
    assert good["agreement"] > 0.9 > noise["agreement"]
    assert good["interval"][0] < good["agreement"] < good["interval"][1]
    assert good["flops"] == 6 * 1e7 * 2e8
    assert largest["agreement"] is None
    assert found["model_parameters"] == 100_000_000  # of equal numbers of runs, the larger model
    assert found["most_informative_per_flop"] in {1_000_000, 10_000_000}
    assert "ranks as the largest" in command(*arguments).out
