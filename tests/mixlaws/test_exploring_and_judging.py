"""Batches that find the optimum, fronts without dominated mixtures, and verdicts on proposals that hold."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from mixlaws.arrays import FloatArray
from mixlaws.domains import DomainSet
from mixlaws.errors import FitError, InvalidInputError
from mixlaws.estimator import Proposal
from mixlaws.judging import hull_distance, judged
from mixlaws.problem import MixtureProblem
from mixlaws.proposers.convex import ConvexProposer
from mixlaws.proposers.explore import Explore, batch
from mixlaws.proposers.pareto import Pareto, dominated
from mixlaws.proposers.simulate import scored
from mixlaws.proposers.worst_case import WorstCase
from mixlaws.regressors.gaussian_process import GaussianProcess
from mixlaws.regressors.linear import Linear
from mixlaws.simulation import Simulation
from mixlaws.swarm import Swarm


def joined(first: Swarm, second: Swarm) -> Swarm:
    return Swarm(
        first.domains,
        first.targets,
        np.concatenate([first.weights, second.weights]),
        np.concatenate([first.values, second.values]),
    )


def test_two_batches_find_a_better_run_than_twice_as_many_random_ones() -> None:
    regrets, random_regrets = [], []
    for seed in range(4):
        rng = np.random.default_rng(seed)
        simulation = Simulation.create(domains=6, rng=rng)
        swarm = simulation.swarm(count=12, noise=0.01, rng=rng)
        for _ in range(2):
            predictor = GaussianProcess().fit(swarm, rng=rng)
            found = Explore(kept=150).propose(predictor, simulation.problem, count=6, rng=rng)
            mixtures = np.array([proposal.weights for proposal in found])
            swarm = joined(swarm, simulation.measure(mixtures, noise=0.01, rng=rng))
        more = simulation.swarm(count=48, noise=0.01, rng=rng)
        at = np.concatenate([simulation.optimum(rng=rng)[None, :], swarm.weights, more.weights])
        losses = simulation.problem.objective(simulation.truth.predict(at))
        regrets.append(losses[1:25].min() - losses[0])
        random_regrets.append(losses[25:].min() - losses[0])
    assert np.mean(regrets) < 0.3 * np.mean(random_regrets)


def test_a_batch_covers_two_hopes_before_it_takes_twins_of_one(rng: np.random.Generator) -> None:
    hope = rng.normal(0, 1, (2000, 2))
    # Mixtures 0 to 4 are twins, 5 is another hope of the same mean, a little higher.
    twins = [hope[:, 0] + 1e-3 * rng.normal(size=2000) for _ in range(5)]
    draws = np.column_stack([*twins, hope[:, 1] + 0.1])
    assert 5 in batch(draws, count=2)
    assert sorted(batch(draws, count=9)) == list(range(6))


def test_what_was_run_is_not_proposed_again(rng: np.random.Generator) -> None:
    draws = rng.normal(size=(50, 10))
    assert not set(batch(draws, count=4, taken=np.array([0, 1, 2, 3, 4]))) & {0, 1, 2, 3, 4}


def test_a_predictor_without_uncertainty_is_refused_with_what_to_use() -> None:
    simulation = Simulation.create(domains=4, rng=np.random.default_rng(0))
    rng = np.random.default_rng(0)
    predictor = Linear().fit(simulation.swarm(count=20, noise=0.01, rng=rng), rng=rng)
    with pytest.raises(FitError, match="fit a Gaussian process or auto"):
        Explore().propose(predictor, simulation.problem, count=2, rng=rng)


@given(st.integers(0, 10_000))
def test_of_two_mixtures_one_of_which_dominates_the_other_stays(seed: int) -> None:
    values = np.random.default_rng(seed).integers(0, 4, (12, 3)).astype(float)
    kept = values[~dominated(values)]
    assert len(np.unique(kept, axis=0)) == len(kept)
    for row in values:
        assert any((other <= row).all() for other in kept)
    for row in kept:
        assert not any((other <= row).all() and (other < row).any() for other in values)


def test_a_front_trades_targets_against_each_other() -> None:
    simulation = Simulation.create(domains=4, rng=np.random.default_rng(3))
    front = Pareto().propose(simulation.truth, simulation.problem, count=5, rng=np.random.default_rng(0))
    values = np.array([proposal.predicted for proposal in front])
    assert len(front) == 5
    assert not dominated(values).any()
    assert (np.ptp(values, axis=0) > 0.05).all()


def test_a_front_between_two_groups_of_targets_goes_further_on_these_than_one_of_all_targets() -> None:
    simulation = Simulation.create(domains=4, rng=np.random.default_rng(3))
    groups = np.array([[1.0, 1.0, 0.0, 0.0], [0.0, 0.0, 0.0, 2.0]])

    def found(proposer: Pareto) -> FloatArray:
        front = proposer.propose(simulation.truth, simulation.problem, count=6, rng=np.random.default_rng(0))
        return np.array([proposal.predicted for proposal in front]) @ groups.T

    of_two, of_all = found(Pareto(objectives=tuple(map(tuple, groups.tolist())))), found(Pareto())
    assert len(of_two) == 6
    assert not dominated(of_two).any()
    for row in of_all:
        nearest = of_two[np.abs(of_two - row).sum(axis=1).argmin()]
        assert not ((row < nearest - 0.01).all()), "what trades everything beats nothing that trades two"
    assert len(of_all[~dominated(of_all)]) < 6


@pytest.mark.parametrize("rows", [((1.0, 0.0),), ((1.0, 0.0), (0.0, 0.0)), ((1.0, 0.0), (-1.0, 2.0))])
def test_what_is_no_trade_is_refused(rows: tuple[tuple[float, ...], ...]) -> None:
    with pytest.raises(InvalidInputError, match="objectives has"):
        Pareto(objectives=rows)


def test_a_trade_of_other_targets_than_the_predictor_has_is_refused() -> None:
    simulation = Simulation.create(domains=4, rng=np.random.default_rng(3))
    with pytest.raises(InvalidInputError, match="row of 2 values: there are 4 targets"):
        Pareto(objectives=((1.0, 0.0), (0.0, 1.0))).propose(
            simulation.truth, simulation.problem, count=1, rng=np.random.default_rng(0)
        )


def test_the_worst_case_promises_no_target_to_be_worse_where_a_mean_would_sacrifice_one() -> None:
    rng = np.random.default_rng(4)
    domains = DomainSet(("a", "b", "c"), (45, 45, 10))
    problem = MixtureProblem.create(domains, coefficients=np.array([0.05, 0.05, 0.9]))
    truth = Simulation.create(domains=3, rng=rng).truth
    reference = truth.predict(problem.prior[None, :])[0]
    mean = ConvexProposer(kl=0.0).propose(truth, problem, count=1, rng=rng)[0]
    worst = WorstCase().propose(truth, problem, count=1, rng=rng)[0]
    assert (mean.predicted - reference).max() > 0.01
    assert (worst.predicted - reference).max() <= 1e-6
    assert worst.details["largest_loss"] == pytest.approx((worst.predicted - reference).max())


class Known:
    """A predictor of one target with independent normal errors of a known size."""

    def __init__(self, deviation: float) -> None:
        self.size = deviation

    def predict(self, weights: FloatArray, /) -> FloatArray:
        return np.asarray(3.0 - weights[:, :1])

    def deviation(self, weights: FloatArray, /) -> FloatArray:
        return np.full((len(weights), 1), self.size)

    def sample(self, weights: FloatArray, /, *, count: int, rng: np.random.Generator) -> FloatArray:
        noise = self.size * rng.standard_normal((count, len(weights), 1))
        return np.asarray(self.predict(weights) + noise)

    def dump(self) -> dict[str, object]:
        return {}


def verdict(weights: list[float], deviation: float, noise: float = 0.01) -> Proposal:
    problem = MixtureProblem.create(DomainSet(("a", "b"), (1, 1)))
    proposal = scored(np.array(weights), Known(deviation), problem, details={"kl": 0.05})
    sampled = np.array([[0.2, 0.8], [0.7, 0.3]])
    rng = np.random.default_rng(0)
    return judged(proposal, Known(deviation), problem, sampled=sampled, noise=noise, rng=rng)


def test_the_probability_of_beating_the_prior_is_that_of_the_draws() -> None:
    # Gain .1, the difference of two independent errors of .1: Phi(1 / sqrt 2) = .760.
    assert verdict([0.6, 0.4], 0.1).details["probability_better"] == pytest.approx(0.76, abs=0.05)
    assert verdict([0.6, 0.4], 1e-4).details["probability_better"] == 1.0
    assert verdict([0.5, 0.5], 0.0).details["probability_better"] == 0.5


def test_the_best_mixture_is_expected_to_be_regretted_least() -> None:
    assert verdict([1.0, 0.0], 1e-6).details["expected_regret"] < 1e-3
    assert verdict([0.5, 0.5], 1e-6).details["expected_regret"] == pytest.approx(0.5, abs=0.02)


def test_a_flat_surface_and_extrapolation_are_told() -> None:
    inside, beyond = verdict([0.6, 0.4], 0.01), verdict([0.9, 0.1], 0.01)
    assert inside.details["hull_distance"] == pytest.approx(0.0, abs=1e-6)
    assert beyond.details["hull_distance"] == pytest.approx(0.2, abs=1e-3)
    assert (inside.details["extrapolates"], beyond.details["extrapolates"]) == (0.0, 1.0)
    assert verdict([0.6, 0.4], 0.01, noise=0.3).details["flatness"] > 0.25
    assert verdict([1.0, 0.0], 0.01, noise=1e-4).details["flatness"] < 0.01
    assert inside.details["kl"] == 0.05


@given(st.integers(0, 10_000))
def test_an_average_of_mixtures_that_were_run_is_no_extrapolation(seed: int) -> None:
    rng = np.random.default_rng(seed)
    sampled = rng.dirichlet(np.ones(5), size=12)
    average = rng.dirichlet(np.ones(12)) @ sampled
    assert hull_distance(average, sampled) == pytest.approx(0.0, abs=1e-6)
