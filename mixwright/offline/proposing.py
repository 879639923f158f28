"""Proposals of a predictor, beside the prior that they are to beat."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from mixlaws.estimator import Predictor, Proposal
from mixlaws.judging import judged
from mixlaws.problem import MixtureProblem
from mixlaws.proposers.simulate import scored
from mixlaws.registry import PROPOSERS
from mixlaws.scales import apart, largest
from mixlaws.swarm import Swarm
from mixlaws.validation import pooled_deviation
from mixwright.offline.hyperparameters import build
from mixwright.offline.posing import Posed


@dataclass(frozen=True, eq=False)
class Proposed:
    """Proposals, best first, and what the predictor expects of the prior."""

    problem: MixtureProblem
    targets: tuple[str, ...]
    prior_name: str
    prior: Proposal
    proposals: Sequence[Proposal]

    def gain(self, proposal: Proposal) -> float:
        """By how much a proposal is predicted to be better than the prior, in the objective's unit."""
        return self.prior.objective - proposal.objective


@dataclass(frozen=True)
class Search:
    """How to look for mixtures.

    Args:
        proposer: its name in the registry.
        params: its hyperparameters.
        count: most proposals.
        seed: of all that is random.
        within_sampled: stay in the box of the runs' mixtures, where predictions are backed by runs.
    """

    proposer: str
    params: Mapping[str, Any]
    count: int
    seed: int
    within_sampled: bool


def propose(predictor: Predictor, posed: Posed, swarm: Swarm, search: Search) -> Proposed:
    """Ask a proposer what a predictor, fitted to a swarm, expects to be best.

    Raises:
        InfeasibleError: bounds, caps and the sampled box have no mixture in common.
        FitError: the proposer cannot use this predictor.
    """
    problem = posed.problem
    asked = build("proposer", PROPOSERS, search.proposer, search.params)
    bounded = problem.within(swarm.weights) if search.within_sampled else problem
    # The generator comes after those of a fit with the same seed.
    rng = np.random.default_rng(search.seed).spawn(3)[2]
    found = asked.propose(predictor, bounded, count=search.count, rng=rng)
    prior = scored(problem.prior, predictor, problem, details={})
    noise = _noise(swarm, problem)
    told = [
        judged(proposal, predictor, problem, sampled=swarm.weights, noise=noise, rng=rng)
        for proposal in found
    ]
    return Proposed(problem, swarm.targets, posed.prior_name, prior, told)


def _noise(swarm: Swarm, problem: MixtureProblem) -> float:
    """Noise of the objective: of repeated runs where there are any; else a tenth of what runs differ by."""
    deviation, freedom = pooled_deviation(apart(swarm), problem.objective(swarm.values)[:, None])
    return float(deviation[0]) if freedom else 0.1 * float(problem.objective(largest(swarm).values).std())
