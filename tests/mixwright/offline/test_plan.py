"""`mixwright plan`: how many runs it takes, as a table and as JSON, with an account of the model sizes."""

import json
from pathlib import Path

import numpy as np
import pytest

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


def test_a_plan_stays_within_bounds_and_tells_what_the_prior_costs(command: Command, tmp_path: Path) -> None:
    path, page, prior = tmp_path / "runs.csv", tmp_path / "plan.html", tmp_path / "prior.json"
    simulated(path)
    prior.write_text(json.dumps({"domain-0": 0.8, "domain-1": 0.1, "domain-2": 0.1}), encoding="utf-8")
    words = ("plan", str(path), "--within", "0.002", "--method", "linear")

    def planned(*more: str) -> dict[str, object]:
        done = command(*words, *more, "--json")
        assert done.code == 0, done.err
        found: dict[str, object] = json.loads(done.out)
        return found

    free, given = planned(), planned("--prior", str(prior))
    assert (free["prior"], given["prior"]) == ("mean of the runs", "prior")
    # The optimum knows no pull: a prior is but another start of the search for it.
    regrets = [[point["regret"] for point in found["points"]] for found in (free, given)]  # type: ignore[attr-defined]
    assert regrets[0] == pytest.approx(regrets[1], abs=1e-6)
    assert given["prior_regret"] != free["prior_regret"]
    # With one mixture left there is nothing to decide, and nothing to lose.
    bounds = "domain-0=0.4,domain-1=0.3,domain-2=0.3"
    only = planned("--lower", bounds, "--upper", bounds)
    assert only["points"][-1]["regret"] < 1e-9  # type: ignore[index]
    refused = command(*words, "--lower", "domain-0=0.7,domain-1=0.6")
    assert "the lower bounds sum to 1.3" in refused.sentence
    assert command(*words, "--html", str(page)).code == 0
    assert page.read_text(encoding="utf-8").count("Plotly.newPlot(") == 1


def test_a_plan_notes_what_runs_cannot_tell(command: Command, tmp_path: Path) -> None:
    path = tmp_path / "runs.csv"
    shares = np.linspace(0.1, 0.7, 20)
    rows = [f"r{number},{a:.4f},{0.8 - a:.4f},0.2,{3 + a}" for number, a in enumerate(shares)]
    path.write_text("\n".join(["run,weight_a,weight_b,weight_c,loss", *rows]), encoding="utf-8")
    words = ("plan", str(path), "--method", "linear")
    assert "never varies of c" in json.loads(command(*words, "--json").out)["notes"][0]
    assert "never varies of c" in command(*words).out
