"""Synthetic swarms with a known truth, for tests, benchmarks and examples.

The truth of a target is a sum of saturating responses to every domain,

    L_t(w) = c_t + sum_i b_ti exp(-r_ti w_i),

which none of the fitted laws reproduces exactly, so that recovering its optimum is no tautology. Each
target is served by its own domain and, more weakly, by others.
"""

from dataclasses import dataclass

import numpy as np

from mixlaws.arrays import FloatArray
from mixlaws.designs.sobol import SobolDesign
from mixlaws.domains import DomainSet
from mixlaws.problem import MixtureProblem
from mixlaws.proposers.convex import ConvexProposer
from mixlaws.swarm import Swarm


@dataclass(frozen=True, eq=False)
class SaturatingTruth:
    """Parameters of the truth.

    Args:
        floor: (t,) c_t, nats per token.
        gain: (t, d) b_ti, nats per token.
        rate: (t, d) r_ti, per unit of weight.
    """

    floor: FloatArray
    gain: FloatArray
    rate: FloatArray

    def predict(self, weights: FloatArray, /) -> FloatArray:
        """(n, t) noise-free losses."""
        return np.asarray(self.floor + (self.gain * np.exp(-weights[:, None, :] * self.rate)).sum(axis=2))

    def jacobian(self, weights: FloatArray, /) -> FloatArray:
        """(n, t, d) derivatives."""
        return np.asarray(-self.gain * self.rate * np.exp(-weights[:, None, :] * self.rate))

    def dump(self) -> dict[str, object]:
        """Parameters as JSON."""
        return {"floor": self.floor.tolist(), "gain": self.gain.tolist(), "rate": self.rate.tolist()}


@dataclass(frozen=True, eq=False)
class Simulation:
    """A truth together with the problem that it poses."""

    problem: MixtureProblem
    truth: SaturatingTruth

    @classmethod
    def create(cls, *, domains: int, rng: np.random.Generator) -> "Simulation":
        """A random truth with one target per domain, shaped like measured sweeps of small models."""
        names = tuple(f"domain-{index}" for index in range(domains))
        tokens = tuple(int(count) for count in rng.lognormal(16, 1, size=domains))
        own = np.eye(domains)
        gain = rng.uniform(0.6, 1.6, (domains, domains)) * own + rng.uniform(
            0.0, 0.15, (domains, domains)
        ) * (1 - own)
        rate = rng.uniform(6, 14, (domains, domains)) * own + rng.uniform(1, 4, (domains, domains)) * (
            1 - own
        )
        truth = SaturatingTruth(rng.uniform(2.5, 3.5, domains), gain, rate)
        return cls(MixtureProblem.create(DomainSet(names, tokens)), truth)

    def swarm(self, *, count: int, noise: float, rng: np.random.Generator) -> Swarm:
        """Runs over a Sobol design, with normal noise in nats per token."""
        weights = SobolDesign().design(self.problem, count=count, rng=rng)
        return self.measure(weights, noise=noise, rng=rng)

    def measure(self, weights: FloatArray, *, noise: float, rng: np.random.Generator) -> Swarm:
        """Runs of given mixtures (n, d)."""
        values = self.truth.predict(weights)
        values = values + noise * rng.standard_normal(values.shape)
        return Swarm(self.problem.domains, self.problem.domains.names, weights, values)

    def optimum(self, *, rng: np.random.Generator) -> FloatArray:
        """(d,) the best mixture; the truth is convex, so that the solver's duality gap certifies it."""
        return ConvexProposer(kl=0.0).propose(self.truth, self.problem, count=1, rng=rng)[0].weights

    def regret(self, weights: FloatArray, *, rng: np.random.Generator) -> float:
        """How much worse a mixture (d,) is than the best one, nats per token of the objective."""
        both = self.truth.predict(np.stack([weights, self.optimum(rng=rng)]))
        worse, best = self.problem.objective(both)
        return float(worse - best)
