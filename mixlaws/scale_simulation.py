"""Simulated runs of several scales with a known truth: a shape that changes with the model size.

    L_t(w; N, D) = c_t (N/N0)^-a (D/D0)^-b + sum_i b_ti exp(-r_ti (N/N0)^q_ti w_i)

Larger models need less or more of a domain, by exponents q that differ between targets, so that the optimum
of a small model is not that of a large one, and runs of it carry only so far.
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np

from mixlaws.arrays import FloatArray
from mixlaws.scales import Scale
from mixlaws.simulation import Simulation
from mixlaws.swarm import Swarm

_LEVEL_BY_SIZE, _LEVEL_BY_TOKENS = 0.07, 0.06  # nats fall by some 5 % with each doubling


@dataclass(frozen=True, eq=False)
class ScaleSimulation:
    """A truth of the largest scale, and how it differs at others.

    Args:
        largest: the simulation at the largest scale.
        scale: that scale, (N0, D0); both known.
        drift: (t, d) q, how rates change with the model size.
    """

    largest: Simulation
    scale: Scale
    drift: FloatArray

    @classmethod
    def create(
        cls, *, domains: int, scale: Scale, drift: float, rng: np.random.Generator
    ) -> "ScaleSimulation":
        """A random truth whose exponents q have the deviation `drift`."""
        largest = Simulation.create(domains=domains, rng=rng)
        return cls(largest, scale, drift * rng.standard_normal((domains, domains)))

    def at(self, scale: Scale, /) -> Simulation:
        """The simulation of one scale."""
        size, tokens = (
            float(own or 1.0) / float(top or 1.0) for own, top in zip(scale, self.scale, strict=True)
        )
        truth = self.largest.truth
        floor = truth.floor * size**-_LEVEL_BY_SIZE * tokens**-_LEVEL_BY_TOKENS
        rate = truth.rate * size**self.drift
        return Simulation(self.largest.problem, replace(truth, floor=floor, rate=rate))

    def measure(
        self, weights: FloatArray, scales: Sequence[Scale], *, noise: float, rng: np.random.Generator
    ) -> Swarm:
        """Runs of mixtures (n, d), each at a scale of its own."""
        exact = np.stack(
            [self.at(s).truth.predict(w[None, :])[0] for w, s in zip(weights, scales, strict=True)]
        )
        names = self.largest.problem.domains.names
        values = exact + noise * rng.standard_normal(exact.shape)
        columns = np.array([[part or 1.0 for part in s] for s in scales])
        return Swarm(
            self.largest.problem.domains,
            names,
            weights,
            values,
            model_parameters=columns[:, 0],
            tokens=columns[:, 1],
        )
