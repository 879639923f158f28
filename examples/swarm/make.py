"""Makes runs.csv and tokens.json beside this file: a swarm of which the truth is known.

python examples/swarm/make.py
"""

import csv
import json
from pathlib import Path

import numpy as np

from mixlaws.domains import DomainSet
from mixlaws.problem import MixtureProblem
from mixlaws.simulation import Simulation

TOKENS = {"web": 9_000_000_000, "code": 2_500_000_000, "papers": 800_000_000, "forums": 1_200_000_000}
RUNS = 32
NOISE = 0.01  # nats per token, as between seeds of one mixture


def main() -> None:
    """Draw a truth, run a Sobol design through it, and write what a user would have."""
    rng = np.random.default_rng(7)
    problem = MixtureProblem.create(DomainSet.from_tokens(TOKENS))
    simulation = Simulation(problem, Simulation.create(domains=len(TOKENS), rng=rng).truth)
    swarm = simulation.swarm(count=RUNS, noise=NOISE, rng=rng)
    folder = Path(__file__).parent
    with (folder / "runs.csv").open("w", newline="", encoding="utf-8") as file:
        writer = csv.writer(file, lineterminator="\n")
        writer.writerow(["run", *(f"weight_{name}" for name in TOKENS), *(f"{name}_loss" for name in TOKENS)])
        for number, (weights, values) in enumerate(zip(swarm.weights, swarm.values, strict=True)):
            # Rounded as tables of people are; a sum may be off by a thousandth then.
            cells = [*(f"{weight:.3f}" for weight in weights), *(f"{value:.4f}" for value in values)]
            writer.writerow([f"run-{number:02d}", *cells])
    (folder / "tokens.json").write_text(json.dumps(TOKENS, indent=1) + "\n", encoding="utf-8")


if __name__ == "__main__":
    main()
