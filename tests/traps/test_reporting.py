"""Numbers that are told mean what a reader takes them for."""

import math
from pathlib import Path

import numpy as np
import pytest

from mixlaws.arrays import FloatArray
from mixlaws.auto.stacking import standardised_errors
from mixlaws.domains import DomainSet
from mixlaws.errors import SwarmTooSmallError
from mixlaws.estimator import AnyEstimator
from mixlaws.laws.bimix import BiMix
from mixlaws.laws.exponential import ExponentialLaw
from mixlaws.laws.multilingual import Multilingual
from mixlaws.problem import MixtureProblem
from mixlaws.proposers.convex import ConvexProposer
from mixlaws.proposers.pareto import Pareto
from mixlaws.regressors.constant import Constant
from mixlaws.regressors.gaussian_process import GaussianProcess
from mixlaws.regressors.lightgbm import LightGbm
from mixlaws.simulation import Simulation
from mixlaws.swarm import Swarm
from mixlaws.validation import cross_validate, spearman
from service.importers.reading import read_runs
from tests.reference_data import regmix
from tests.service.importers.tables import written


def test_left_out_means_rank_runs_backwards_and_no_rank_is_told_of_them() -> None:
    simulation = Simulation.create(domains=3, rng=np.random.default_rng(0))
    swarm = simulation.swarm(count=15, noise=0.0, rng=np.random.default_rng(1)).only(["domain-1"])
    held_out = cross_validate(Constant(), swarm, rng=np.random.default_rng(0))
    assert spearman(held_out.measured[:, 0], held_out.predicted[:, 0]) == pytest.approx(-1.0)
    assert held_out.scores()[0].spearman is None


def test_a_target_in_thousandths_has_as_much_say_as_one_in_nats() -> None:
    rng = np.random.default_rng(1)
    values = rng.normal(3, 0.1, (40, 3))
    predicted = values + np.array([0.5, 1.0, 2.0])[:, None, None] * rng.normal(0, 0.1, (3, 40, 3))
    unit = np.array([1.0, 1000.0, 1e-3])
    coefficients = np.array([0.2, 0.3, 0.5])
    plain = standardised_errors(predicted, values, coefficients)
    other = standardised_errors(predicted * unit, values * unit, coefficients / unit)
    assert other == pytest.approx(plain)
    # A plain mean of absolute errors would be that of the target with the largest numbers alone.
    naive = np.abs((predicted - values) * unit).mean(axis=1)
    assert naive.mean(axis=1) == pytest.approx(naive[:, 1] / 3, rel=0.01)


def test_which_method_is_best_depends_on_the_number_of_runs(reference_data: Path) -> None:
    train, unseen = (regmix(reference_data, part).only(["pile_cc"]) for part in ("train", "test"))

    def rank(method: AnyEstimator, count: int, subsets: int = 1) -> float:
        rows = [np.random.default_rng(k).permutation(512)[:count] for k in range(subsets)]
        fits = [method.fit(train.take(part), rng=np.random.default_rng(0)) for part in rows]
        ranks = [spearman(unseen.values[:, 0], fit.predict(unseen.weights)[:, 0]) for fit in fits]
        return float(np.mean([found or 0.0 for found in ranks]))

    share, law, trees = BiMix(), ExponentialLaw(ridge=1e-3), LightGbm()
    assert rank(share, 10, subsets=3) > rank(trees, 10, subsets=3)
    with pytest.raises(SwarmTooSmallError, match=r"10 finished proxy runs; .* needs at least 18"):
        rank(law, 10)
    assert rank(law, 64) > max(rank(share, 64), rank(trees, 64))
    assert rank(trees, 512) > max(rank(share, 512), rank(law, 512))


def test_loss_and_accuracy_that_disagree_are_carried_side_by_side(tmp_path: Path) -> None:
    # The loss falls with web text, the task gets better with code.
    rng = np.random.default_rng(2)
    header = "run,weight_web,weight_code,loss,task"
    rows = [
        f"r{i},{w!r},{1 - w!r},{3 + math.exp(-3 * w)!r},{0.8 - 0.5 * math.exp(-3 * (1 - w))!r}"
        for i, w in enumerate(rng.uniform(0.05, 0.95, 24).tolist())
    ]
    table = written(tmp_path / "runs.csv", header, *rows)
    swarm = read_runs(table, maximise=["task"]).swarm
    fitted = GaussianProcess().fit(swarm, rng=rng)

    def web(**objective: float) -> float:
        problem = MixtureProblem.create(swarm.domains, coefficients=swarm.coefficients(objective))
        return float(ConvexProposer(kl=0.0).propose(fitted, problem, count=1, rng=rng)[0].weights[0])

    assert web(loss=1.0) > 0.9
    assert web(task=1.0) < 0.1
    front = Pareto().propose(fitted, MixtureProblem.create(swarm.domains), count=4, rng=rng)
    told = np.array([proposal.predicted for proposal in front])
    assert spearman(told[:, 0], told[:, 1]) == pytest.approx(-1.0)
    unflipped = read_runs(table).swarm
    assert unflipped.values[:, 1] == pytest.approx(1 - swarm.values[:, 1])


def test_the_lowest_of_many_noisy_losses_is_not_promised() -> None:
    noise, measured, predicted = 0.1, [], []
    for seed in range(12):
        rng = np.random.default_rng(seed)
        simulation = Simulation.create(domains=4, rng=rng)
        swarm = simulation.swarm(count=48, noise=noise, rng=rng)
        objective = simulation.problem.objective(swarm.values)
        winner = swarm.weights[objective.argmin()][None, :]
        truth = float(simulation.problem.objective(simulation.truth.predict(winner))[0])
        fitted = GaussianProcess().fit(swarm, rng=rng)
        measured.append(objective.min() - truth)
        predicted.append(float(simulation.problem.objective(fitted.predict(winner))[0]) - truth)
    # The objective is the mean of four losses: its noise is half of theirs.
    assert np.mean(measured) < -0.5 * noise / 2
    assert abs(np.mean(predicted)) < 0.5 * abs(np.mean(measured))


@pytest.mark.parametrize("law", [Multilingual(), BiMix()])
def test_a_law_of_the_own_share_says_nothing_of_targets_that_are_no_domain(law: AnyEstimator) -> None:
    weights = np.random.default_rng(3).dirichlet(np.ones(3), size=20)
    values: FloatArray = 2 + weights[:, :1]
    swarm = Swarm(
        DomainSet(tuple("abc"), (1,) * 3),
        ("exam",),
        weights,
        values,
        model_parameters=np.resize([1e6, 2e6], 20),
    )
    with pytest.raises(ValueError, match="target 'exam' has no domain of its name"):
        law.fit(swarm, rng=np.random.default_rng(0))
