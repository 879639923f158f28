"""The optimum of a sum over domains: its closed form, its bounds, and what it is compared with."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from mixlaws.arrays import FloatArray
from mixlaws.domains import DomainSet
from mixlaws.errors import FitError, InvalidInputError
from mixlaws.laws.bimix import BiMixPredictor
from mixlaws.laws.exponential import ExponentialLaw
from mixlaws.problem import MixtureProblem
from mixlaws.proposers.convex import ConvexProposer
from mixlaws.proposers.separable import SeparableProposer
from mixlaws.regressors.lightgbm import LightGbm
from mixlaws.simplex import project
from mixlaws.simulation import Simulation

D = 6
DOMAINS = DomainSet(tuple("abcdef"), (6, 5, 4, 3, 2, 1))


def power_law(rng: np.random.Generator, *, alpha: FloatArray | None = None) -> BiMixPredictor:
    return BiMixPredictor(
        own=np.arange(D),
        alpha=rng.uniform(0.01, 0.3, D) if alpha is None else alpha,
        gain=np.zeros(D),
        beta=np.zeros(D),
        level=rng.uniform(1, 4, D),
        at_zero=np.full(D, 3.0),
        zero_measured=(False,) * D,
        unit=1.0,
        tokens=None,
    )


def closed_form(law: BiMixPredictor, problem: MixtureProblem) -> FloatArray:
    """(d,) w_j = (alpha_j A_j / nu)^(1 / (1 + alpha_j)), solved again on the domains off their bounds."""

    def shares(nu: float) -> FloatArray:
        free = (law.alpha * law.level / nu) ** (1 / (1 + law.alpha))
        return np.clip(free, problem.lower, problem.caps)

    low, high = 1e-12, 1e12
    for _ in range(200):
        nu = np.sqrt(low * high)
        low, high = (nu, high) if shares(nu).sum() > 1 else (low, nu)
    return shares(low)


def best(law: BiMixPredictor, problem: MixtureProblem) -> FloatArray:
    return SeparableProposer().propose(law, problem, count=1, rng=np.random.default_rng(0))[0].weights


@given(st.integers(0, 10_000))
def test_no_feasible_mixture_is_better_whatever_the_bounds(seed: int) -> None:
    rng = np.random.default_rng(seed)
    law = power_law(rng)
    lower, upper = rng.uniform(0, 0.15, D), rng.uniform(0.2, 0.6, D)
    problem = MixtureProblem(DOMAINS, DOMAINS.natural, lower, upper)
    found = best(law, problem)
    assert found == pytest.approx(closed_form(law, problem), abs=1e-7)
    assert abs(found.sum() - 1) < 1e-12
    assert np.all((found >= problem.lower) & (found <= problem.caps))
    others = project(rng.dirichlet(np.full(D, 0.5), size=500), problem.lower, problem.caps)
    values = problem.objective(law.predict(others))
    assert float(problem.objective(law.predict(found[None, :])[0])) <= values.min() + 1e-12


def test_domains_off_their_bounds_share_one_slope(rng: np.random.Generator) -> None:
    law = power_law(rng)
    problem = MixtureProblem.create(DOMAINS, upper={"a": 0.05, "b": 0.1})
    found = best(law, problem)
    slopes = problem.objective(law.jacobian(found[None, :])[0].T)
    free = (found > problem.lower + 1e-9) & (found < problem.caps - 1e-9)
    assert free.sum() >= 4
    assert np.ptp(slopes[free]) < 1e-6
    assert np.all(slopes[~free] <= slopes[free].min() + 1e-9)


def test_caps_from_tokens_and_epochs_hold(rng: np.random.Generator) -> None:
    problem = MixtureProblem.create(DOMAINS, final_tokens=30, max_epochs=dict.fromkeys("abcdef", 2.0))
    found = best(power_law(rng), problem)
    assert np.all(found <= problem.caps)
    assert found[5] == pytest.approx(2 * 1 / 30)


@pytest.mark.parametrize("kl", [0.0, 0.05])
def test_mirror_descent_finds_the_same_objective(kl: float, rng: np.random.Generator) -> None:
    simulation = Simulation.create(domains=5, rng=rng)
    one, other = (
        proposer.propose(simulation.truth, simulation.problem, count=1, rng=rng)[0]
        for proposer in (SeparableProposer(kl=kl), ConvexProposer(kl=kl))
    )
    assert one.objective == pytest.approx(other.objective, abs=1e-6)
    assert one.weights == pytest.approx(other.weights, abs=2e-3)


def test_a_domain_without_use_gets_its_lower_bound_and_no_other_gets_zero(rng: np.random.Generator) -> None:
    alpha = np.array([0.0, 0.001, 0.1, 0.1, 0.1, 0.1])
    found = best(power_law(rng, alpha=alpha), MixtureProblem.create(DOMAINS, lower={"a": 0.02}))
    assert found[0] == pytest.approx(0.02, abs=1e-9)
    assert found[1:].min() > 0


def test_no_use_in_any_domain_is_still_a_mixture(rng: np.random.Generator) -> None:
    problem = MixtureProblem.create(DOMAINS, upper={"a": 0.1})
    found = best(power_law(rng, alpha=np.zeros(D)), problem)
    assert found.sum() == pytest.approx(1, abs=1e-12)
    assert found[0] <= 0.1


def test_an_objective_that_is_no_sum_over_domains_is_refused(rng: np.random.Generator) -> None:
    simulation = Simulation.create(domains=4, rng=rng)
    swarm = simulation.swarm(count=30, noise=0.01, rng=rng)
    with pytest.raises(FitError, match="no sum over domains: use the convex"):
        SeparableProposer().propose(
            ExponentialLaw(ridge=1e-3).fit(swarm, rng=rng), simulation.problem, count=1, rng=rng
        )
    with pytest.raises(FitError, match="no derivatives"):
        SeparableProposer().propose(LightGbm().fit(swarm), simulation.problem, count=1, rng=rng)


def test_strengths_and_spreads_out_of_range_are_refused() -> None:
    with pytest.raises(InvalidInputError, match="kl is -1"):
        SeparableProposer(kl=-1)
    with pytest.raises(InvalidInputError, match="spread is 2"):
        SeparableProposer(spread=2)
