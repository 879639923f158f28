"""Repetition at its worth for predictors of shares: slopes, what it leaves alone, and what it moves."""

import numpy as np
import pytest

from mixlaws.domains import DomainSet
from mixlaws.errors import InvalidInputError
from mixlaws.estimator import ProbabilisticPredictor
from mixlaws.laws.exponential import ExponentialLaw
from mixlaws.problem import MixtureProblem
from mixlaws.proposers.convex import ConvexProposer
from mixlaws.regressors.gaussian_process import GaussianProcess
from mixlaws.regressors.lightgbm import LightGbm
from mixlaws.repeated_shares import with_repetition
from mixlaws.simulation import Simulation

SIMULATION = Simulation.create(domains=4, rng=np.random.default_rng(0))
SCARCE = DomainSet(SIMULATION.problem.domains.names, (10**9, 10**9, 10**9, 10**7))
PLENTY = 10**10


def test_derivatives_are_those_of_the_prediction(rng: np.random.Generator) -> None:
    smooth = with_repetition(SIMULATION.truth, SCARCE, final_tokens=PLENTY, per_efold=0.1)
    at = rng.dirichlet(np.ones(4), size=5)
    step = 1e-6 * np.eye(4)
    slopes = np.stack([(smooth.predict(at + one) - smooth.predict(at - one)) / 2e-6 for one in step], axis=2)
    assert smooth.jacobian(at) == pytest.approx(slopes, abs=1e-6)  # type: ignore[attr-defined]


def test_nothing_changes_where_nothing_is_read_twice(rng: np.random.Generator) -> None:
    smooth = with_repetition(SIMULATION.truth, SCARCE, final_tokens=10**6, per_efold=0.1)
    at = rng.dirichlet(np.ones(4), size=5)
    assert smooth.predict(at) == pytest.approx(SIMULATION.truth.predict(at))


def test_a_scarce_domain_is_asked_for_less_the_longer_the_run_and_never_cut_off(
    rng: np.random.Generator,
) -> None:
    problem = MixtureProblem.create(SCARCE, prior=dict.fromkeys(SCARCE.names, 0.25))
    shares = []
    for final_tokens in (10**7, 10**9, 10**10, 10**11):
        smooth = with_repetition(SIMULATION.truth, SCARCE, final_tokens=final_tokens, per_efold=0.2)
        best = ConvexProposer(kl=0.0, starts=0).propose(smooth, problem, count=1, rng=rng)[0]
        shares.append(best.weights[3])
        others = rng.dirichlet(np.ones(4), size=5000)
        assert best.objective <= problem.objective(smooth.predict(others)).min() + 1e-9
    assert shares == sorted(shares, reverse=True)
    assert shares[0] > 5 * shares[-1] > 0


def test_what_a_predictor_knows_it_still_knows(rng: np.random.Generator) -> None:
    swarm = SIMULATION.swarm(count=24, noise=0.01, rng=rng)
    at = rng.dirichlet(np.ones(4), size=3)
    process = with_repetition(
        GaussianProcess().fit(swarm, rng=rng), SCARCE, final_tokens=PLENTY, per_efold=0.1
    )
    assert isinstance(process, ProbabilisticPredictor)
    draws = process.sample(at, count=4000, rng=rng)
    assert draws.mean(axis=0) == pytest.approx(process.predict(at), abs=0.01)
    for estimator in (ExponentialLaw(), LightGbm(rounds=5)):
        plain = with_repetition(estimator.fit(swarm, rng=rng), SCARCE, final_tokens=PLENTY, per_efold=0.1)
        assert not isinstance(plain, ProbabilisticPredictor)


def test_the_loss_per_efold_has_no_default() -> None:
    with pytest.raises(InvalidInputError, match="say by how much targets fall"):
        with_repetition(SIMULATION.truth, SCARCE, final_tokens=PLENTY, per_efold=None)
