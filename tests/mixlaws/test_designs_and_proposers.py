"""Designs fill the region they are given; proposers find what is best in it."""

from collections.abc import Callable

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from mixlaws.arrays import FloatArray
from mixlaws.designs.regmix import RegMixSampler
from mixlaws.designs.sobol import SobolDesign
from mixlaws.domains import DomainSet
from mixlaws.errors import FitError, InfeasibleError, InvalidInputError
from mixlaws.problem import MixtureProblem
from mixlaws.proposers.convex import ConvexProposer
from mixlaws.proposers.simulate import SimulateAndAverage
from mixlaws.registry import DESIGNS, PROPOSERS
from mixlaws.regressors.lightgbm import LightGbm
from mixlaws.regressors.linear import LinearPredictor
from mixlaws.simulation import Simulation
from tests.support.proposing import predictor_for


@st.composite
def problems(draw: st.DrawFn) -> MixtureProblem:
    d = draw(st.integers(2, 9))
    tokens = draw(st.lists(st.integers(1, 10**12), min_size=d, max_size=d))
    domains = DomainSet(tuple(f"d{i}" for i in range(d)), tuple(tokens))
    lower = np.array(draw(st.lists(st.floats(0, 0.5 / d), min_size=d, max_size=d)))
    slack = np.array(draw(st.lists(st.floats(0.01, 1), min_size=d, max_size=d)))
    upper = np.minimum(lower + slack, 1.0)
    if upper.sum() < 1.05:
        upper = np.minimum(upper + 1.05 - upper.sum(), 1.0)
    return MixtureProblem(domains, domains.natural, lower, upper)


@given(problems(), st.integers(1, 20), st.integers(0, 2**32 - 1))
def test_sobol_mixtures_are_within_bounds_for_any_problem(
    problem: MixtureProblem, count: int, seed: int
) -> None:
    mixtures = SobolDesign().design(problem, count=count, rng=np.random.default_rng(seed))
    assert mixtures.shape == (count, len(problem.domains))
    assert np.abs(mixtures.sum(axis=1) - 1).max() <= 1e-9
    assert np.all(mixtures >= problem.lower - 1e-12)
    assert np.all(mixtures <= problem.caps + 1e-12)


@pytest.mark.parametrize("name", sorted(DESIGNS))
def test_one_seed_gives_one_design_and_another_another(name: str) -> None:
    problem = Simulation.create(domains=5, rng=np.random.default_rng(0)).problem
    first, again, other = (
        DESIGNS[name]().design(problem, count=24, rng=np.random.default_rng(seed)) for seed in (1, 1, 2)
    )
    assert np.array_equal(first, again)
    assert not np.array_equal(first, other)


def test_a_sobol_design_reaches_small_domains_that_the_prior_hardly_holds() -> None:
    domains = DomainSet(("huge", "small", "tiny"), (10**9, 10**6, 10**5))
    mixtures = SobolDesign().design(MixtureProblem.create(domains), count=64, rng=np.random.default_rng(0))
    assert np.quantile(mixtures[:, 2], 0.9) > 0.25
    assert np.quantile(mixtures[:, 0], 0.9) > 0.7


def test_a_sobol_design_covers_the_simplex_more_evenly_than_random_draws() -> None:
    domains = DomainSet(("a", "b", "c"), (1, 1, 1))
    flat = SobolDesign(uniform_share=1.0, min_concentration=3.0, max_concentration=3.0)
    rng = np.random.default_rng(0)
    probes = rng.dirichlet(np.ones(3), size=2000)

    def farthest(mixtures: np.ndarray) -> float:
        distance = np.linalg.norm(probes[:, None, :] - mixtures[None, :, :], axis=2).min(axis=1)
        return float(np.quantile(distance, 0.99))

    designed = [farthest(flat.design(MixtureProblem.create(domains), count=64, rng=rng)) for _ in range(5)]
    drawn = [farthest(rng.dirichlet(np.ones(3), size=64)) for _ in range(5)]
    assert np.median(designed) < 0.95 * np.median(drawn)


def test_bounds_too_tight_for_the_regmix_sampler_are_told_with_a_remedy() -> None:
    domains = DomainSet(tuple("abcdef"), (1,) * 6)
    problem = MixtureProblem.create(domains, lower=dict.fromkeys("abcdef", 0.16))
    with pytest.raises(InfeasibleError, match="use the sobol design"):
        RegMixSampler(candidates_per_mixture=10).design(problem, count=8, rng=np.random.default_rng(0))


@pytest.mark.parametrize("kl", [0.0, 0.01, 0.3])
def test_no_feasible_mixture_beats_the_convex_proposal_on_a_convex_truth(kl: float) -> None:
    rng = np.random.default_rng(1)
    simulation = Simulation.create(domains=6, rng=rng)
    upper = dict.fromkeys(simulation.problem.domains.names, 0.25)
    problem = MixtureProblem.create(simulation.problem.domains, lower={"domain-0": 0.05}, upper=upper)
    proposal = ConvexProposer(kl=kl).propose(simulation.truth, problem, count=1, rng=rng)[0]
    assert proposal.weights.max() <= 0.25 + 1e-12
    assert proposal.weights[0] >= 0.05 - 1e-12

    def value(weights: np.ndarray) -> np.ndarray:
        penalty = (weights * np.log(np.maximum(weights, 1e-300) / problem.prior)).sum(axis=1)
        return np.asarray(problem.objective(simulation.truth.predict(weights)) + kl * penalty)

    candidates = SobolDesign().design(problem, count=4096, rng=rng)
    nearby = 0.999 * proposal.weights + 0.001 * candidates
    best = value(proposal.weights[None, :])[0]
    assert value(candidates).min() >= best
    assert value(nearby).min() >= best - 1e-9
    assert proposal.details["gap"] <= 1e-6


def test_without_a_penalty_one_linear_target_is_best_at_a_vertex_and_caps_hold_it_back() -> None:
    domains = DomainSet(("a", "b", "c"), (1, 1, 1))
    predictor = LinearPredictor(np.array([[1.0, 2.0, 3.0]]))
    free = ConvexProposer(kl=0.0).propose(
        predictor, MixtureProblem.create(domains), count=1, rng=np.random.default_rng(0)
    )[0]
    assert free.weights == pytest.approx([1, 0, 0], abs=1e-6)
    capped = MixtureProblem.create(domains, final_tokens=10, max_epochs=dict.fromkeys("abc", 5.0))
    held = ConvexProposer(kl=0.0).propose(predictor, capped, count=1, rng=np.random.default_rng(0))[0]
    assert held.weights == pytest.approx([0.5, 0.5, 0], abs=1e-6)


def test_further_proposals_are_distinct_and_move_towards_the_prior() -> None:
    rng = np.random.default_rng(3)
    simulation = Simulation.create(domains=5, rng=rng)
    proposals = ConvexProposer(kl=0.001).propose(simulation.truth, simulation.problem, count=3, rng=rng)
    assert len(proposals) == 3
    distances = [np.abs(p.weights - simulation.problem.prior).sum() for p in proposals]
    assert distances == sorted(distances, reverse=True)
    assert len({tuple(p.weights.round(6)) for p in proposals}) == 3


def test_a_predictor_without_slopes_is_sent_to_the_other_proposer() -> None:
    simulation = Simulation.create(domains=4, rng=np.random.default_rng(0))
    trees = LightGbm(rounds=20).fit(simulation.swarm(count=24, noise=0.0, rng=np.random.default_rng(1)))
    with pytest.raises(FitError, match="use the simulate proposer"):
        ConvexProposer().propose(trees, simulation.problem, count=1, rng=np.random.default_rng(0))
    found = SimulateAndAverage(samples=5000, top=20, strength=8.0).propose(
        trees, simulation.problem, count=2, rng=np.random.default_rng(0)
    )
    assert found[0].objective <= found[1].objective
    assert found[0].objective == pytest.approx(
        float(simulation.problem.objective(trees.predict(found[0].weights[None, :])[0]))
    )


def test_samples_that_tight_bounds_would_refuse_are_brought_in_and_still_find_what_is_best() -> None:
    domains = DomainSet(tuple("abcdefgh"), (1,) * 8)
    problem = MixtureProblem.create(domains, lower=dict.fromkeys("abcdefgh", 0.12))
    best = LinearPredictor(np.arange(8.0)[None, :])
    found = SimulateAndAverage(samples=1000, top=10).propose(
        best, problem, count=1, rng=np.random.default_rng(0)
    )
    assert found[0].details["samples_within_bounds"] == 0
    assert found[0].weights == pytest.approx([0.16] + 7 * [0.12], abs=5e-3)


@pytest.mark.parametrize("name", sorted(PROPOSERS))
def test_a_proposal_reports_the_prediction_of_the_very_mixture_it_gives(name: str) -> None:
    rng = np.random.default_rng(5)
    simulation = Simulation.create(domains=4, rng=rng)
    predictor = predictor_for(name, simulation, seed=5)
    for proposal in PROPOSERS[name]().propose(predictor, simulation.problem, count=2, rng=rng):
        assert proposal.predicted == pytest.approx(predictor.predict(proposal.weights[None, :])[0])
        assert proposal.weights.sum() == pytest.approx(1, abs=1e-12)


def test_a_domain_that_prior_and_centre_leave_out_stays_out_of_a_sobol_design() -> None:
    domains = DomainSet(("a", "b", "c"), (1, 1, 1))
    problem = MixtureProblem.create(domains, prior={"a": 0.5, "b": 0.5, "c": 0.0})
    mixtures = SobolDesign(uniform_share=0.0).design(problem, count=8, rng=np.random.default_rng(0))
    assert np.all(mixtures[:, 2] == 0)
    assert np.ptp(mixtures[:, 0]) > 0.2


def test_half_a_regmix_sweep_is_no_corner_of_the_simplex() -> None:
    problem = Simulation.create(domains=3, rng=np.random.default_rng(0)).problem
    mixtures = RegMixSampler().design(problem, count=64, rng=np.random.default_rng(0))
    first, second = mixtures[:32, 0], mixtures[32:, 0]
    assert first.max() > second.min()
    assert second.max() > first.min()
    assert abs(first.mean() - second.mean()) < 0.3


def test_a_start_without_a_finite_prediction_does_not_hide_the_others() -> None:
    class Holed(LinearPredictor):
        """Predicts nothing where domain 0 has more than half: the prior is there."""

        def predict(self, weights: FloatArray, /) -> FloatArray:
            return np.where(weights[:, :1] > 0.5, np.nan, super().predict(weights))

    problem = MixtureProblem.create(DomainSet(("a", "b", "c"), (90, 5, 5)))
    holed = Holed(np.array([[1.0, 0.0, 0.5]]))
    (proposal,) = ConvexProposer(kl=0.0).propose(holed, problem, count=1, rng=np.random.default_rng(0))
    assert proposal.weights[1] > 0.99


@pytest.mark.parametrize(
    "wrong",
    [
        lambda: ConvexProposer(starts=-1),
        lambda: ConvexProposer(iterations=0),
        lambda: ConvexProposer(spread=float("nan")),
        lambda: RegMixSampler(candidates_per_mixture=0),
        lambda: RegMixSampler(max_usage=-1),
        lambda: LightGbm(rounds=0),
        lambda: LightGbm(learning_rate=float("nan")),
        lambda: LightGbm(min_data_in_leaf=-3),
    ],
)
def test_hyperparameters_that_mean_nothing_are_refused_before_any_work(wrong: Callable[[], object]) -> None:
    with pytest.raises(InvalidInputError, match=r"use|need"):
        wrong()
