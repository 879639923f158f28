"""What is proposed is the best that is allowed, whatever unit, order or detour led there."""

from dataclasses import replace

import numpy as np
import pytest

from mixlaws.arrays import FloatArray
from mixlaws.designs.regmix import RegMixSampler
from mixlaws.domains import DomainSet
from mixlaws.judging import hull_distance, judged
from mixlaws.laws.exponential import ExponentialForm, ExponentialLaw
from mixlaws.laws.fitting import FittedLaw
from mixlaws.problem import MixtureProblem
from mixlaws.proposers.convex import ConvexProposer
from mixlaws.proposers.simulate import SimulateAndAverage, average_of_best
from mixlaws.pruning import prune
from mixlaws.regressors.lightgbm import LightGbm
from mixlaws.simulation import Simulation
from mixlaws.swarm import Swarm

RNG_SEED = 0


def best_of(law: FittedLaw, problem: MixtureProblem, *, kl: float) -> FloatArray:
    rng = np.random.default_rng(RNG_SEED)
    return ConvexProposer(kl=kl).propose(law, problem, count=1, rng=rng)[0].weights


def monotone(d: int, t: int, *, seed: int = 0) -> FittedLaw:
    """Exponentials, each of which falls most along a domain of its own."""
    tilts = np.random.default_rng(seed).uniform(-1.0, 0.0, (t, d)) - 2 * np.eye(t, d)
    return FittedLaw(ExponentialForm(), np.column_stack([np.full(t, 2.0), tilts]), ridge=0.0)


@pytest.mark.parametrize("seed", range(3))
def test_one_exponential_is_best_at_a_vertex_and_caps_a_pull_or_more_targets_hold_it_back(seed: int) -> None:
    domains = DomainSet(tuple("abcde"), (5, 4, 3, 2, 1))
    problem = MixtureProblem.create(domains)
    assert best_of(monotone(5, 1, seed=seed), problem, kl=0.0).max() > 0.999
    for held in (
        best_of(monotone(5, 1, seed=seed), replace(problem, upper=np.full(5, 0.4)), kl=0.0),
        best_of(monotone(5, 1, seed=seed), problem, kl=0.3),
        best_of(monotone(5, 5, seed=seed), problem, kl=0.0),
    ):
        assert held.max() < 0.9


def test_an_average_of_the_best_samples_is_judged_by_its_own_prediction() -> None:
    # Two valleys: the mean of the best of both lies on the ridge between them.
    class Valleys:
        """Low where either of two domains has nearly all, high in between."""

        def predict(self, weights: FloatArray, /) -> FloatArray:
            return np.asarray(4.0 - np.abs(weights[:, :1] - weights[:, 1:2]))

        def dump(self) -> dict[str, object]:
            return {}

    problem = MixtureProblem.create(DomainSet(("a", "b"), (1, 1)))
    (found,) = SimulateAndAverage(samples=4000, top=100).propose(
        Valleys(), problem, count=1, rng=np.random.default_rng(0)
    )
    assert found.objective == pytest.approx(float(Valleys().predict(found.weights[None, :])[0, 0]))
    assert found.objective > 3.5


def test_samples_of_one_dirichlet_miss_in_seventeen_domains_what_slopes_find() -> None:
    rng = np.random.default_rng(6)
    simulation = Simulation.create(domains=17, rng=rng)
    problem, truth = simulation.problem, simulation.truth
    samples = rng.dirichlet(problem.prior, size=20_000)
    values = problem.objective(truth.predict(samples))
    average = average_of_best(truth, problem, samples, top=128)
    found = ConvexProposer(kl=0.0).propose(truth, problem, count=1, rng=rng)[0]
    prior = float(problem.objective(truth.predict(problem.prior[None, :]))[0])
    averaged = float(problem.objective(truth.predict(average[None, :]))[0])
    assert found.objective < min(values.min(), averaged) - 0.05 * (prior - found.objective)
    assert values.min() > prior  # mixtures near corners: not one as good as the mixture of the text itself


def test_how_flat_an_optimum_is_does_not_depend_on_the_unit_of_the_loss() -> None:
    class Bowl:
        """A parabola in the first weight, in nats times a unit."""

        def __init__(self, unit: float) -> None:
            self.unit = unit

        def predict(self, weights: FloatArray, /) -> FloatArray:
            return np.asarray(self.unit * (3 + (weights[:, :1] - 0.4) ** 2))

        def dump(self) -> dict[str, object]:
            return {}

    problem = MixtureProblem.create(DomainSet(("a", "b"), (1, 1)))
    flat = {}
    for unit in (1.0, 1000.0):
        for noise in (0.001, 0.02):
            at = SimulateAndAverage(samples=2000, top=1, strength=4.0).propose(
                Bowl(unit), problem, count=1, rng=np.random.default_rng(0)
            )[0]
            told = judged(
                at, Bowl(unit), problem,
                sampled=np.eye(2), noise=noise * unit, rng=np.random.default_rng(1),
            )  # fmt: skip
            flat[unit, noise] = told.details["flatness"]
    assert flat[1.0, 0.001] == pytest.approx(flat[1000.0, 0.001])
    assert flat[1.0, 0.02] == pytest.approx(flat[1000.0, 0.02])
    assert flat[1.0, 0.02] > 2 * flat[1.0, 0.001]


def test_an_objective_of_larger_coefficients_is_pulled_to_the_prior_just_as_much() -> None:
    domains = DomainSet(tuple("abc"), (5, 3, 2))
    law = monotone(3, 3)
    first, second = (
        best_of(law, MixtureProblem.create(domains, coefficients=scale * np.array([0.2, 0.3, 0.5])), kl=0.1)
        for scale in (1.0, 50.0)
    )
    assert second == pytest.approx(first, abs=1e-6)
    naive = best_of(law, MixtureProblem.create(domains, coefficients=np.array([0.2, 0.3, 0.5])), kl=0.1 / 50)
    assert np.abs(naive - first).max() > 0.05


def test_a_strong_pull_leads_to_the_text_as_it_is_and_not_to_a_flattened_prior() -> None:
    domains = DomainSet(tuple("abc"), (900, 90, 10))
    problem = MixtureProblem.create(domains)
    RegMixSampler(temperature=0.5).design(problem, count=8, rng=np.random.default_rng(0))
    assert best_of(monotone(3, 3), problem, kl=1000.0) == pytest.approx([0.9, 0.09, 0.01], abs=1e-3)


def test_a_cap_of_the_final_run_binds_the_proposal_and_no_proxy_run() -> None:
    domains = DomainSet(tuple("abc"), (900, 90, 10))
    problem = MixtureProblem.create(
        domains, final_tokens=800, max_epochs=dict.fromkeys("abc", 4.0), upper={"b": 0.4}
    )
    assert problem.caps == pytest.approx([1.0, 0.4, 0.05])
    swept = RegMixSampler(max_usage=1000.0).design(
        problem.without_caps(), count=40, rng=np.random.default_rng(0)
    )
    assert swept[:, 2].max() > 2 * problem.caps[2]
    wants_c = FittedLaw(ExponentialForm(), np.array([[2.0, 0.0, -0.5, -3.0]]), ridge=0.0)
    found = best_of(wants_c, problem, kl=0.0)
    assert found[2] == pytest.approx(0.05)
    # Leaving small weights out and scaling the others up would break the caps of those that rest on them.
    left = prune(found, problem, minimum=0.06)
    assert np.all(left <= problem.caps + 1e-12)
    assert left.sum() == pytest.approx(1)


def test_beyond_the_runs_a_law_is_told_to_guess_and_within_their_box_it_cannot() -> None:
    rng = np.random.default_rng(7)
    simulation = Simulation.create(domains=4, rng=rng)
    near = 0.7 * simulation.problem.prior + 0.3 * rng.dirichlet(4 * np.ones(4), size=30)
    swarm = simulation.measure(near, noise=0.01, rng=rng)
    law = ExponentialLaw().fit(swarm, rng=rng)
    beyond = ConvexProposer(kl=0.0).propose(law, simulation.problem, count=1, rng=rng)[0]
    within = ConvexProposer(kl=0.0).propose(law, simulation.problem.within(near), count=1, rng=rng)[0]
    far, close = (
        judged(p, law, simulation.problem, sampled=near, noise=0.01, rng=rng).details
        for p in (beyond, within)
    )
    assert far["extrapolates"] == 1.0
    assert far["hull_distance"] > 3 * close["hull_distance"]
    assert hull_distance(near.mean(axis=0), near) == pytest.approx(0.0, abs=1e-6)


def test_the_best_of_trees_is_a_plateau_and_their_answer_the_middle_of_it() -> None:
    rng = np.random.default_rng(8)
    simulation = Simulation.create(domains=3, rng=rng)
    trees = LightGbm(rounds=30, learning_rate=0.1).fit(simulation.swarm(count=40, noise=0.01, rng=rng))
    samples = rng.dirichlet(np.ones(3), size=4000)
    lowest = simulation.problem.objective(trees.predict(samples))
    ties = np.flatnonzero(lowest == lowest.min())
    assert len(ties) > 1

    def spread_between_draws(top: int) -> float:
        answers = [
            average_of_best(trees, simulation.problem, rng.dirichlet(np.ones(3), size=400), top=top)
            for _ in range(10)
        ]
        return float(np.std(answers, axis=0).max())

    assert spread_between_draws(40) < 0.7 * spread_between_draws(1)


def test_named_coefficients_are_scaled_before_a_penalty_meets_them() -> None:
    swarm = Swarm(
        DomainSet(tuple("ab"), (1, 1)), ("x", "y"), np.array([[0.5, 0.5], [1.0, 0.0]]), np.ones((2, 2))
    )
    assert swarm.coefficients({"x": 3.0, "y": 1.0}).tolist() == [0.75, 0.25]
    posed = MixtureProblem.create(swarm.domains, coefficients=np.array([3.0, 1.0]))
    assert posed.objective(np.array([2.0, 4.0])) == pytest.approx(2.5)
