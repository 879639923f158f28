"""Regret at the large scale for one budget of FLOPs, on simulated runs of three scales.

    python -m benchmarks.value_per_flop [--seeds 20] [--drift 0.15] [--json]

Five domains and targets; 1, 2 and 4 times the parameters, each with 20 tokens for a parameter, so that a
large run costs as much as 4 middle or 16 small ones. The budget is 12 large runs. Every method ends with the
mixture that its fit predicts to be best at the large scale, with no pull to a prior; its regret is known.

    large           half of the budget on a Sobol design of large runs, the other half chosen by `explore`
    small           the same with small runs alone: what is best for them is taken for the large scale
    both            small and large runs of one Sobol design, half of the budget each, fitted by `multi_scale`
    value_per_flop  24 small and 3 large runs of a Sobol design, the rest chosen in 3 batches
"""

import argparse
import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
from rich.console import Console
from rich.table import Table

from benchmarks.tables import note
from mixlaws.arrays import FloatArray
from mixlaws.designs.sobol import SobolDesign
from mixlaws.estimator import AnyEstimator
from mixlaws.proposers.convex import ConvexProposer
from mixlaws.proposers.explore import Explore
from mixlaws.proposers.value_per_flop import ValuePerFlop
from mixlaws.regressors.gaussian_process import GaussianProcess
from mixlaws.regressors.multi_scale import MultiScale
from mixlaws.scale_simulation import ScaleSimulation
from mixlaws.scales import Scale
from mixlaws.swarm import Swarm

DOMAINS, NOISE, LARGE_RUNS = 5, 0.01, 12
SIZES = (1e7, 2e7, 4e7)
SCALES = tuple(Scale(size, 20 * size) for size in SIZES)
COSTS = tuple(float(scale.flops or 0.0) for scale in SCALES)
BUDGET = LARGE_RUNS * COSTS[-1]
BATCHES = 3


@dataclass(frozen=True, eq=False)
class Study:
    """A simulated world, and the randomness of one study of it."""

    world: ScaleSimulation
    rng: np.random.Generator

    def design(self, count: int) -> FloatArray:
        """(count, d) mixtures to begin with."""
        return SobolDesign().design(self.world.largest.problem, count=count, rng=self.rng)

    def run(self, weights: FloatArray, scales: list[Scale]) -> Swarm:
        """Measure mixtures, each at a scale."""
        return self.world.measure(weights, scales, noise=NOISE, rng=self.rng)

    def regret(self, estimator: AnyEstimator, runs: Swarm) -> float:
        """Of the mixture that a fit predicts to be best."""
        fitted = estimator.fit(runs, rng=self.rng)
        solver = ConvexProposer(kl=0.0, starts=2)
        best = solver.propose(fitted, self.world.largest.problem, count=1, rng=self.rng)[0]
        return self.world.largest.regret(best.weights, rng=self.rng)


def one_scale(number: int) -> Callable[[Study], float]:
    """All runs at one scale."""

    def measured(study: Study) -> float:
        count = int(BUDGET / COSTS[number])
        runs = study.run(study.design(count // 2), [SCALES[number]] * (count // 2))
        while len(runs) < count:
            fitted = GaussianProcess().fit(runs, rng=study.rng)
            asked = min(max(count // (2 * BATCHES), 1), count - len(runs))
            chosen = Explore(candidates=2000).propose(
                fitted, study.world.largest.problem, count=asked, rng=study.rng
            )
            weights = np.array([proposal.weights for proposal in chosen])
            runs = joined(runs, study.run(weights, [SCALES[number]] * len(weights)))
        return study.regret(GaussianProcess(), runs)

    return measured


def both(study: Study) -> float:
    """Half of the budget for each end."""
    counts = [int(BUDGET / 2 / COSTS[0]), int(BUDGET / 2 / COSTS[-1])]
    weights = study.design(counts[0])
    everything = np.concatenate([weights, weights[: counts[1]]])
    return study.regret(
        MultiScale(), study.run(everything, [SCALES[0]] * counts[0] + [SCALES[-1]] * counts[1])
    )


def by_value(study: Study) -> float:
    """Ours: the next runs by value per FLOP."""
    weights = study.design(24)
    everything = np.concatenate([weights, weights[:3]])
    runs = study.run(everything, [SCALES[0]] * 24 + [SCALES[-1]] * 3)
    for batch in range(BATCHES):
        fitted = MultiScale().fit(runs, rng=study.rng)
        left = BUDGET - sum(6 * n * d for n, d in zip(*_columns(runs), strict=True))
        share = left / (BATCHES - batch)
        if share < COSTS[0]:
            break
        proposer = ValuePerFlop(scales=tuple((size, 20 * size) for size in SIZES), budget=share)
        chosen = proposer.propose(fitted, study.world.largest.problem, count=200, rng=study.rng)
        scales = [Scale(p.details["model_parameters"], p.details["tokens"]) for p in chosen]
        runs = joined(runs, study.run(np.array([p.weights for p in chosen]), scales))
    return study.regret(MultiScale(), runs)


METHODS: Mapping[str, Callable[[Study], float]] = {
    "large": one_scale(2), "small": one_scale(0), "both": both, "value_per_flop": by_value,
}  # fmt: skip


def regrets(name: str, *, seeds: int, drift: float) -> list[float]:
    """Of one method, seed by seed; every method meets the same worlds."""
    found = []
    for seed in range(seeds):
        world_rng, study_rng = np.random.default_rng(seed).spawn(2)
        world = ScaleSimulation.create(domains=DOMAINS, scale=SCALES[-1], drift=drift, rng=world_rng)
        found.append(METHODS[name](Study(world, study_rng)))
    note(f"{name}: {np.median(found):.4f}")
    return found


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawTextHelpFormatter)
    parser.add_argument("--seeds", type=int, default=20)
    parser.add_argument("--drift", type=float, default=0.15, help="how fast the shape changes with the size")
    parser.add_argument("--json", action="store_true", help="print JSON")
    chosen = parser.parse_args()
    results: list[dict[str, Any]] = []
    for name in METHODS:
        found = regrets(name, seeds=chosen.seeds, drift=chosen.drift)
        middle, worst = float(np.median(found)), float(np.quantile(found, 0.9))
        results.append({"method": name, "regret": middle, "regret_worst_tenth": worst})
    told = {"seeds": chosen.seeds, "drift": chosen.drift, "flops": BUDGET, "results": results}
    print(json.dumps(told, indent=1)) if chosen.json else show(told)


def show(told: dict[str, Any]) -> None:
    """The same as a table."""
    table = Table("method", "regret, median", "regret, 90 %", title="Regret at the large scale, nats")
    for row in told["results"]:
        table.add_row(row["method"], f"{row['regret']:.4f}", f"{row['regret_worst_tenth']:.4f}")
    Console().print(table)


def joined(left: Swarm, right: Swarm) -> Swarm:
    """The runs of both."""
    return replace(
        left,
        weights=np.concatenate([left.weights, right.weights]),
        values=np.concatenate([left.values, right.values]),
        model_parameters=np.concatenate([_columns(left)[0], _columns(right)[0]]),
        tokens=np.concatenate([_columns(left)[1], _columns(right)[1]]),
    )


def _columns(runs: Swarm) -> tuple[FloatArray, FloatArray]:
    """(n,) parameters and tokens, which simulated runs tell."""
    if runs.model_parameters is None or runs.tokens is None:
        raise ValueError("simulated runs tell their scale")
    return runs.model_parameters, runs.tokens


if __name__ == "__main__":
    main()
