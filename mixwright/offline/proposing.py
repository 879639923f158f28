"""Proposals of a predictor, beside the prior that they are to beat."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from mixlaws.arrays import FloatArray
from mixlaws.estimator import Predictor, Proposal, SelfScoredPredictor
from mixlaws.judging import hull_distance, judged
from mixlaws.problem import MixtureProblem
from mixlaws.proposers.intent import Intent, posed_for
from mixlaws.proposers.simulate import scored
from mixlaws.registry import PROPOSERS
from mixlaws.rivals import Rivals, rivals
from mixlaws.sampling.measured import Measured
from mixlaws.sampling.rule import NOTHING
from mixlaws.scales import apart, largest
from mixlaws.simplex import FILE_TOLERANCE, as_weights
from mixlaws.swarm import Swarm
from mixlaws.two_stages import SecondObjective, SecondStage
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
    second: SecondStage | None = None
    rivals: Mapping[str, Proposal] = field(default_factory=dict)
    rivals_left_out: Mapping[str, str] = field(default_factory=dict)

    def stages(self, proposal: Proposal) -> list[tuple[float, FloatArray]]:
        """Share of the tokens and mixture of each stage; one stage where no second one was asked for."""
        if self.second is None:
            return [(1.0, proposal.weights)]
        shares = (1 - self.second.share, self.second.share)
        return list(zip(shares, self.second.stages(self.problem, proposal.weights), strict=True))

    def gain(self, proposal: Proposal) -> float:
        """By how much a proposal is predicted to be better than the prior, in the objective's unit."""
        return self.prior.objective - proposal.objective


@dataclass(frozen=True)
class Rivalry:
    """What proposals are compared with beside the prior.

    Args:
        statistics: of the domains, for rules that need them; None if nothing was measured.
        named: mixtures of the user by name, as shares by domain.
    """

    statistics: Measured | None = None
    named: Mapping[str, Mapping[str, float]] = field(default_factory=dict)


NO_RIVALRY = Rivalry()


@dataclass(frozen=True)
class Search:
    """How to look for mixtures.

    Args:
        intent: what the mixtures are for.
        proposer: its name in the registry.
        params: its hyperparameters.
        count: most proposals.
        seed: of all that is random.
        within_sampled: stay in the box of the runs' mixtures, where predictions are backed by runs.
        second: a second stage, stated or to be looked for.
    """

    intent: Intent
    proposer: str
    params: Mapping[str, Any]
    count: int
    seed: int
    within_sampled: bool
    second: SecondStage | SecondObjective | None = None

    def to_json(self) -> dict[str, Any]:
        """What was searched for."""
        return {name: getattr(self, name) for name in ("intent", "proposer", "params", "seed")}


def propose(
    predictor: Predictor, posed: Posed, swarm: Swarm, search: Search, rivalry: Rivalry = NO_RIVALRY
) -> Proposed:
    """Ask a proposer what a predictor, fitted to a swarm, expects to be best.

    Raises:
        InfeasibleError: bounds, caps and the sampled box have no mixture in common.
        FitError: the proposer cannot use this predictor.
    """
    problem = posed_for(search.intent, posed.problem)
    asked = build("proposer", PROPOSERS, search.proposer, search.params)
    # The generator comes after those of a fit with the same seed.
    rng = np.random.default_rng(search.seed).spawn(3)[2]

    def backed(posed: MixtureProblem) -> MixtureProblem:
        return posed.within(swarm.weights) if search.within_sampled else posed

    second = search.second
    if isinstance(second, SecondObjective):
        second = second.found(asked, predictor, backed(problem), rng)
    bounded = backed(problem if second is None else second.mean_problem(problem))
    found = asked.propose(predictor, bounded, count=search.count, rng=rng)
    others = _rivals(posed, swarm.targets, rivalry)
    prior = scored(problem.prior, predictor, problem, details={})
    noise = _noise(swarm, problem, predictor)
    told = [
        judged(
            proposal,
            predictor,
            problem,
            sampled=swarm.weights,
            noise=noise,
            rng=rng,
            rivals=others.mixtures,
        )
        for proposal in found
    ]
    seen = {
        name: scored(row, predictor, problem, details={"hull_distance": hull_distance(row, swarm.weights)})
        for name, row in others.mixtures.items()
    }
    return Proposed(problem, swarm.targets, posed.prior_name, prior, told, second, seen, others.left_out)


def _rivals(posed: Posed, targets: Sequence[str], rivalry: Rivalry) -> Rivals:
    domains = posed.problem.domains
    statistics = NOTHING
    if rivalry.statistics is not None:
        statistics = rivalry.statistics.of(domains, tasks=targets)
    named = {
        name: as_weights(domains.to_array(shares), tolerance=FILE_TOLERANCE)
        for name, shares in rivalry.named.items()
    }
    return rivals(posed.problem, statistics, named=named, counted=posed.counted)


def _noise(swarm: Swarm, problem: MixtureProblem, predictor: Predictor) -> float:
    """Noise of the objective: of repeats where there are any, else the held-out error of the best method.

    For a method that scored no members it is a tenth of what runs differ by.
    """
    deviation, freedom = pooled_deviation(apart(swarm), problem.objective(swarm.values)[:, None])
    if freedom:
        return float(deviation[0])
    if isinstance(predictor, SelfScoredPredictor):
        return min(float(row.mae) for row in predictor.table if row.mae is not None)
    return 0.1 * float(problem.objective(largest(swarm).values).std())
