"""Every proposer and design holds groups and distance, and what is proposed is the best that they leave."""

import numpy as np
import pytest

from mixlaws.domains import DomainSet
from mixlaws.errors import InvalidInputError
from mixlaws.feasible.constraints import Group, Measure, PriorDistance
from mixlaws.problem import MixtureProblem
from mixlaws.proposers.cloud import cloud
from mixlaws.proposers.convex import ConvexProposer
from mixlaws.pruning import prune
from mixlaws.registry import DESIGNS, PROPOSERS, SAMPLING
from tests.mixlaws.feasible.problems import feasible
from tests.support.proposing import predictor_for

QUICK: dict[str, dict[str, float]] = {
    "convex": {"starts": 1},
    "explore": {"candidates": 400, "kept": 60, "draws": 32},
    "value_per_flop": {"candidates": 400, "kept": 30, "draws": 32},
    "simulate": {"samples": 2000, "top": 20},
    "worst_case": {"starts": 0, "sharpness": 10.0},
}


@pytest.mark.parametrize("name", sorted(PROPOSERS))
@pytest.mark.parametrize("seed", range(3))
def test_what_a_proposer_answers_satisfies_every_constraint(name: str, seed: int) -> None:
    simulation, problem = feasible(seed)
    rng = np.random.default_rng(seed)
    predictor = predictor_for(name, simulation, seed=seed)
    found = PROPOSERS[name](**QUICK.get(name, {})).propose(predictor, problem, count=2, rng=rng)
    weights = np.array([proposal.weights for proposal in found])
    assert problem.feasible.contains(weights, tolerance=1e-9).all()
    assert np.abs(weights.sum(axis=1) - 1).max() < 1e-12
    assert weights.min() >= 0


@pytest.mark.parametrize("seed", range(3))  # each has a measure of distance of its own, or none
def test_no_sample_of_the_feasible_set_beats_the_exact_proposal(seed: int) -> None:
    simulation, problem = feasible(100 + seed)
    rng = np.random.default_rng(seed)
    best = ConvexProposer(kl=0.0, starts=0).propose(simulation.truth, problem, count=1, rng=rng)[0]
    wide = problem.feasible.project(rng.dirichlet(np.full(len(problem.domains), 0.5), size=10_000))
    near = cloud(problem, best.weights, count=10_000, rng=rng)
    samples = np.concatenate([wide, near])
    assert problem.feasible.contains(samples, tolerance=1e-9).all()
    assert best.objective <= problem.objective(simulation.truth.predict(samples)).min() + 1e-9
    assert best.details["gap"] < 1e-6


@pytest.mark.parametrize("name", sorted(DESIGNS))
def test_designs_hold_groups_and_distance(name: str) -> None:
    domains = DomainSet(tuple("abcdef"), (6, 5, 4, 3, 2, 1))
    code = Group("code", ("a", "b"), 0.1, 0.3)
    problem = MixtureProblem.create(domains, groups=[code], distance=PriorDistance(Measure.KL, 0.4))
    mixtures = DESIGNS[name]().design(problem, count=16, rng=np.random.default_rng(0))
    assert problem.feasible.contains(mixtures, tolerance=1e-9).all()
    assert len(np.unique(mixtures.round(9), axis=0)) == 16


def test_rules_without_runs_hold_them_too_or_say_that_they_cannot() -> None:
    domains = DomainSet(tuple("abcd"), (40, 30, 20, 10))
    problem = MixtureProblem.create(
        domains, groups=[Group("rare", ("c", "d"), upper=0.2)], frozen={"a": None}, final_tokens=10
    )
    for name in ("temperature", "unimax"):
        mixture = SAMPLING[name]().mixture(problem)
        assert problem.feasible.contains(mixture[None, :], tolerance=1e-9)[0]
    with pytest.raises(InvalidInputError, match="groups"):
        SAMPLING["utilimax"]().mixture(problem)


def test_small_weights_are_left_out_without_leaving_a_group_short() -> None:
    domains = DomainSet(tuple("abcd"), (1, 1, 1, 1))
    problem = MixtureProblem.create(domains, groups=[Group("rare", ("c", "d"), lower=0.05)])
    pruned = prune(np.array([0.6, 0.34, 0.04, 0.02]), problem, minimum=0.05)
    assert problem.feasible.contains(pruned[None, :], tolerance=1e-12)[0]
    assert pruned[3] == 0


@pytest.mark.parametrize("measure", list(Measure))
def test_a_distance_is_reached_where_the_optimum_lies_beyond_it(measure: Measure) -> None:
    simulation, _ = feasible(1)
    rng = np.random.default_rng(0)
    near = MixtureProblem.create(simulation.problem.domains, distance=PriorDistance(measure, 0.05))
    best = ConvexProposer(kl=0.0, starts=0).propose(simulation.truth, near, count=1, rng=rng)[0]
    assert near.feasible.contains(best.weights[None, :], tolerance=1e-9)[0]
    assert not near.feasible.contains(best.weights[None, :], tolerance=-1e-6)[0]
