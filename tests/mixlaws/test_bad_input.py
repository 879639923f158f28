"""What cannot be used is refused with what is needed and what was given; what is doubtful is noted."""

from dataclasses import replace

import numpy as np
import pytest

from mixlaws.arrays import FloatArray
from mixlaws.domains import DomainSet
from mixlaws.errors import (
    InfeasibleError,
    InvalidInputError,
    RunsAlikeError,
    SwarmTooSmallError,
    UnknownTargetError,
    WeightsError,
)
from mixlaws.estimator import AnyEstimator
from mixlaws.laws.exponential import ExponentialLaw
from mixlaws.problem import MixtureProblem
from mixlaws.proposers.convex import ConvexProposer
from mixlaws.proposers.separable import SeparableProposer
from mixlaws.proposers.worst_case import WorstCase
from mixlaws.registry import ESTIMATORS
from mixlaws.regressors.gaussian_process import GaussianProcess
from mixlaws.regressors.linear import Linear, LinearPredictor
from mixlaws.swarm import Swarm
from mixlaws.swarm_notes import notes
from mixlaws.validation import cross_validate, pooled_deviation

DOMAINS = DomainSet(("web", "code", "papers", "forums"), (1, 1, 1, 1))
TARGETS = ("a", "b")
NO_PAPERS = {"web": 0.5, "code": 0.4, "papers": 0.0, "forums": 0.1}


def mixtures(count: int = 20) -> FloatArray:
    return np.random.default_rng(0).dirichlet(np.ones(4), size=count)


def swarm_of(weights: FloatArray) -> Swarm:
    noise = 0.01 * np.random.default_rng(1).standard_normal((len(weights), 2))
    return Swarm(DOMAINS, TARGETS, weights, 3 + np.exp(-3 * weights[:, :2]) + noise)


@pytest.mark.parametrize("name", sorted(set(ESTIMATORS) - {"constant"}))
def test_too_few_runs_are_told_with_the_number_that_is_needed(name: str) -> None:
    named = replace(swarm_of(mixtures(1)), targets=("web", "code"), model_parameters=np.array([1e6]))
    with pytest.raises(SwarmTooSmallError) as refused:
        ESTIMATORS[name]().fit(named, rng=np.random.default_rng(0))
    assert refused.value.got == 1
    assert refused.value.needed > 1
    assert f"needs at least {refused.value.needed}" in str(refused.value)
    assert str(refused.value).startswith("1 finished proxy run")


@pytest.mark.parametrize(
    "estimator", [ExponentialLaw(), GaussianProcess(), Linear()], ids=["law", "gp", "ols"]
)
def test_runs_of_one_mixture_are_refused_however_many(estimator: AnyEstimator) -> None:
    alike = swarm_of(np.tile(mixtures(1), (20, 1)))
    with pytest.raises(RunsAlikeError, match=r"20 finished proxy runs of 1 mixture; .* needs at least 2"):
        estimator.fit(alike, rng=np.random.default_rng(0))
    with pytest.raises(RunsAlikeError, match="cross-validation needs at least 3 distinct ones"):
        cross_validate(estimator, alike, rng=np.random.default_rng(0))


def test_a_share_that_never_varies_is_noted_and_fitted_around() -> None:
    weights = mixtures()
    weights[:, 2] = 0
    weights = 0.8 * weights / weights.sum(axis=1, keepdims=True) + [0, 0, 0.2, 0]
    (note,) = notes(swarm_of(weights))
    assert "never varies of papers (0.2)" in note
    predicted = ExponentialLaw().fit(swarm_of(weights), rng=np.random.default_rng(0)).predict(weights)
    assert np.abs(predicted - swarm_of(weights).values).max() < 0.1


def test_shares_that_vary_only_together_are_noted_by_name() -> None:
    weights = mixtures()
    weights[:, 3] = 2 * weights[:, 2]
    weights /= weights.sum(axis=1, keepdims=True)
    (note,) = notes(swarm_of(weights))
    assert "papers, forums vary only together" in note
    assert notes(swarm_of(mixtures())) == []


def test_repeats_with_other_losses_are_repeats_and_give_the_noise() -> None:
    repeated = swarm_of(np.repeat(mixtures(), 2, axis=0))
    deviation, freedom = pooled_deviation(repeated.weights, repeated.values)
    assert freedom == 20
    assert deviation == pytest.approx([0.01, 0.01], rel=0.5)
    (note,) = notes(repeated)
    assert "40 runs have 20 distinct mixtures" in note


def test_a_target_that_does_not_vary_is_noted() -> None:
    flat = Swarm(DOMAINS, TARGETS, mixtures(), np.full((20, 2), 3.0))
    (note,) = notes(flat)
    assert "same value of a, b" in note


@pytest.mark.parametrize("value", [np.inf, -np.inf, np.nan])
def test_a_loss_that_is_not_finite_is_refused_with_run_and_target(value: float) -> None:
    values = np.full((20, 2), 3.0)
    values[7, 1] = value
    with pytest.raises(InvalidInputError, match=f"target 'b' of run 7 is {value}: leave that run out"):
        Swarm(DOMAINS, TARGETS, mixtures(), values)


def test_sums_are_held_to_a_millionth() -> None:
    assert swarm_of(mixtures() * (1 + 9e-7)).weights.sum(axis=1) == pytest.approx(np.ones(20), abs=1e-12)
    with pytest.raises(WeightsError, match=r"sum to 1.01, off by more than 1e-06"):
        swarm_of(mixtures() * 1.01)


def test_the_prior_and_bounds_of_a_problem_are_held_to_a_millionth_too() -> None:
    uneven = {"web": 0.5, "code": 0.3, "papers": 0.1, "forums": 0.11}
    with pytest.raises(WeightsError, match=r"sum to 1.01, off by more than 1e-06"):
        MixtureProblem.create(DOMAINS, prior=uneven)
    with pytest.raises(InvalidInputError, match="bounds must satisfy 0 <= lower <= upper <= 1"):
        MixtureProblem.create(DOMAINS, lower={"web": -0.1})


def test_an_objective_of_an_unknown_target_is_refused_with_the_nearest_name() -> None:
    swarm = Swarm(DOMAINS, ("web_loss", "code_loss"), mixtures(), np.full((20, 2), 3.0))
    with pytest.raises(UnknownTargetError, match=r"'web_los' in the objective: did you mean 'web_loss'\?"):
        swarm.coefficients({"web_los": 1.0})


def test_bounds_without_a_mixture_name_the_domains_that_bind() -> None:
    upper = {"web": 0.3, "code": 0.1, "papers": 0.05, "forums": 0.05}
    with pytest.raises(InfeasibleError, match=r"sum to 0.5 < 1: web 0.3 \(upper bound\), code 0.1"):
        MixtureProblem.create(DOMAINS, upper=upper)
    epochs = dict.fromkeys(DOMAINS.names, 1.0)
    with pytest.raises(InfeasibleError, match=r"web 0.1 \(its tokens\)"):
        MixtureProblem.create(DOMAINS, final_tokens=10, max_epochs=epochs)
    with pytest.raises(InfeasibleError, match=r"sum to 1.3 > 1: code 0.7 \(lower bound\), web 0.6"):
        MixtureProblem.create(DOMAINS, lower={"web": 0.6, "code": 0.7})
    with pytest.raises(InfeasibleError, match=r"'web' has the lower bound 0.6 above its upper bound 0.5"):
        MixtureProblem.create(DOMAINS, lower={"web": 0.6}, upper={"web": 0.5})


PAPERS_ARE_BEST = LinearPredictor(np.array([[1.0, 1.0, 0.0, 2.0]]))


@pytest.mark.parametrize(
    "proposer", [ConvexProposer(kl=0.05), SeparableProposer(kl=0.05), WorstCase(kl=0.05)]
)
def test_a_domain_without_prior_gets_nothing_under_a_kl_term(
    proposer: ConvexProposer | SeparableProposer | WorstCase,
) -> None:
    problem = MixtureProblem.create(DOMAINS, prior=NO_PAPERS)
    rng = np.random.default_rng(0)
    found = proposer.propose(PAPERS_ARE_BEST, problem, count=1, rng=rng)[0]
    assert found.weights[2] == 0
    assert found.weights.sum() == pytest.approx(1)
    bounded = MixtureProblem.create(DOMAINS, prior=NO_PAPERS, lower={"papers": 0.1})
    with pytest.raises(InvalidInputError, match=r"'papers' has the prior 0 and the lower bound 0.1"):
        proposer.propose(PAPERS_ARE_BEST, bounded, count=1, rng=rng)


def test_without_a_kl_term_the_prior_forbids_nothing() -> None:
    problem = MixtureProblem.create(DOMAINS, prior=NO_PAPERS, lower={"papers": 0.1})
    rng = np.random.default_rng(0)
    found = ConvexProposer(kl=0.0).propose(PAPERS_ARE_BEST, problem, count=3, rng=rng)
    assert found[0].weights == pytest.approx([0, 0, 1, 0], abs=1e-4)
    assert len(found) == 1  # further ones would move towards a prior that they cannot reach
    assert all(np.isfinite(value) for value in found[0].details.values())
