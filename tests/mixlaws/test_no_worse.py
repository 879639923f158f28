"""Limits on predicted targets: they hold, and cost no more than they must."""

import numpy as np
import pytest

from mixlaws.domains import DomainSet
from mixlaws.errors import InfeasibleError
from mixlaws.problem import MixtureProblem
from mixlaws.proposers.convex import ConvexProposer
from mixlaws.regressors.linear import LinearPredictor
from mixlaws.simulation import SaturatingTruth, Simulation


@pytest.mark.parametrize(("seed", "worsening"), [(0, 0.0), (1, 0.0), (2, 0.05)])
def test_no_target_is_worse_and_no_sample_that_keeps_the_limits_is_better(
    seed: int, worsening: float
) -> None:
    rng = np.random.default_rng(seed)
    simulation = Simulation.create(domains=4, rng=rng)
    full = simulation.truth
    truth = SaturatingTruth(full.floor[:2], full.gain[:2], full.rate[:2])  # two domains serve no target much
    problem = MixtureProblem.create(simulation.problem.domains, coefficients=np.array([1.0, 0]))
    limits = truth.predict(problem.prior[None, :])[0] + worsening
    asked = ConvexProposer(kl=0.0, starts=0, worsening=worsening)
    best = asked.propose(truth, problem, count=1, rng=rng)[0]
    assert (best.predicted - limits).max() <= 1e-9
    free = ConvexProposer(kl=0.0, starts=0).propose(truth, problem, count=1, rng=rng)[0]
    assert (free.predicted - limits).max() > 0.01
    drawn = rng.dirichlet(40 * problem.prior + 40 * best.weights + 0.5, size=20_000)
    drawn = np.concatenate([drawn, 0.98 * best.weights + 0.02 * drawn])
    values = truth.predict(drawn)
    kept = (values <= limits).all(axis=1)
    assert kept.sum() > 100
    assert best.objective <= values[kept, 0].min() + 1e-6


def test_limits_that_no_mixture_keeps_are_an_error() -> None:
    domains = DomainSet(("a", "b"), (1, 1))
    opposed = LinearPredictor(np.array([[1.0, 0.0], [0.0, 1.0]]))
    problem = MixtureProblem.create(domains, lower={"a": 0.6})
    with pytest.raises(InfeasibleError, match=r"worse by 0\.1 than allowed"):
        ConvexProposer(kl=0.0, worsening=0.0).propose(opposed, problem, count=1, rng=np.random.default_rng(0))
