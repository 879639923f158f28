"""Swarms with a known truth, written as tables that users have."""

from pathlib import Path

import numpy as np

from mixlaws.simulation import Simulation


def simulated(path: Path, *, runs: int = 24, domains: int = 3, noise: float = 0.002) -> Simulation:
    """Write a wide table of runs of a simulation, and return the simulation."""
    rng = np.random.default_rng(11)
    simulation = Simulation.create(domains=domains, rng=rng)
    swarm = simulation.swarm(count=runs, noise=noise, rng=rng)
    names = swarm.domains.names
    header = ["run", *(f"weight_{name}" for name in names), *swarm.targets]
    # Three decimals, as tables of people have them: sums are off by rounding, and so is every division.
    rows = [
        [f"run-{number}", *(f"{weight:.3f}" for weight in weights), *(repr(float(value)) for value in values)]
        for number, (weights, values) in enumerate(zip(swarm.weights, swarm.values, strict=True))
    ]
    path.write_text("\n".join(",".join(row) for row in [header, *rows]) + "\n", encoding="utf-8")
    return simulation
