"""The Kullback-Leibler divergence between mixtures, and its split over a group of domains.

    KL(q || q0) = sum_j q_j ln(q_j / q0_j)
    KL(q || q0) = KL(r || r0) + rho KL(p || q0|group)    for q = rho p on the group and as r elsewhere

rho is the group's share, p the mixture within it, r the mixture with the group as one domain: the chain
rule, exact. Olmix (arXiv:2602.12237) keeps the first term alone, which favours the group by the second.
"""

from dataclasses import dataclass

import numpy as np

from mixlaws.arrays import FloatArray, IntArray
from mixlaws.feasible.constraints import Measure, distances


@dataclass(frozen=True)
class GroupedDivergence:
    """The two terms of the chain rule.

    Args:
        between: KL(r || r0), nats.
        share: rho.
        within: KL(p || q0|group), nats; 0 where the group has no share.
    """

    between: float
    share: float
    within: float

    @property
    def total(self) -> float:
        """KL(q || q0), nats."""
        return self.between + (self.share * self.within if self.share > 0 else 0.0)


def divergence(weights: FloatArray, prior: FloatArray, /) -> float:
    """KL of weights (d,) from a prior (d,), nats; infinite where the prior leaves out a domain in use."""
    return float(distances(weights[None, :], prior, Measure.KL)[0])


def grouped_divergence(weights: FloatArray, prior: FloatArray, group: IntArray, /) -> GroupedDivergence:
    """KL of weights (d,) from a prior (d,), split over the group of domains with these indices."""
    elsewhere = np.setdiff1d(np.arange(len(weights)), group)
    share, base = float(weights[group].sum()), float(prior[group].sum())
    between = divergence(np.append(weights[elsewhere], share), np.append(prior[elsewhere], base))
    if share <= 0:
        return GroupedDivergence(between, 0.0, 0.0)
    within = divergence(weights[group] / share, prior[group] / base) if base > 0 else float("inf")
    return GroupedDivergence(between, share, within)
