"""Held-out scores tell the truth, also where they are undefined."""

import numpy as np
import pytest
import scipy.stats

from mixlaws.arrays import FloatArray, JsonObject
from mixlaws.designs.sobol import SobolDesign
from mixlaws.domains import DomainSet
from mixlaws.errors import SwarmTooSmallError
from mixlaws.regressors.gaussian_process import GaussianProcess
from mixlaws.regressors.linear import Linear
from mixlaws.simulation import Simulation
from mixlaws.swarm import Swarm
from mixlaws.validation import cross_validate, pooled_deviation, score, spearman


class Constant:
    """An estimator that predicts the mean of what it saw."""

    def __init__(self, values: FloatArray | None = None) -> None:
        self.values = values

    def fit(self, swarm: Swarm, /, *, rng: np.random.Generator) -> "Constant":  # noqa: ARG002
        return Constant(swarm.values.mean(axis=0))

    def predict(self, weights: FloatArray, /) -> FloatArray:
        assert self.values is not None
        return np.tile(self.values, (len(weights), 1))

    def dump(self) -> JsonObject:
        return {}

    def load(self, raw: JsonObject, /) -> "Constant":  # noqa: ARG002
        return self


def test_rank_correlation_agrees_with_scipy_on_ties(rng: np.random.Generator) -> None:
    left, right = rng.integers(0, 5, 40).astype(float), rng.integers(0, 5, 40).astype(float)
    assert spearman(left, right) == pytest.approx(scipy.stats.spearmanr(left, right).statistic)
    assert spearman(left, np.ones(40)) is None


def test_scores_of_known_predictions() -> None:
    scores = score(np.array([1.0, 2.0, 3.0]), np.array([1.1, 1.9, 3.3]))
    assert scores.spearman == pytest.approx(1.0)
    assert scores.mae == pytest.approx(0.5 / 3)
    assert scores.r2 == pytest.approx(1 - 0.11 / 2)
    assert score(np.ones(3), np.zeros(3)).r2 is None


@pytest.mark.parametrize("folds", [None, 5])
def test_a_constant_predictor_has_no_rank_correlation(folds: int | None) -> None:
    # Leave-one-out means are anti-correlated with the data by construction: -1 would be an artefact.
    swarm = Simulation.create(domains=3, rng=np.random.default_rng(0)).swarm(
        count=20, noise=0.0, rng=np.random.default_rng(1)
    )
    held_out = cross_validate(Constant(), swarm, folds=folds, rng=np.random.default_rng(0))
    assert all(scores.spearman is None for scores in held_out.scores())
    assert held_out.objective_scores(np.full(3, 1 / 3)).spearman is None
    assert all((scores.r2 or 0) <= 0 for scores in held_out.scores())


def test_no_run_is_predicted_by_a_fit_that_saw_its_mixture() -> None:
    # Values are pure noise, the same for repeats: a leak would show as a correlation.
    rng = np.random.default_rng(7)
    mixtures = rng.dirichlet(np.ones(4), size=30)
    noise = rng.normal(size=(30, 1))
    swarm = Swarm(
        DomainSet(tuple("abcd"), (1,) * 4),
        ("noise",),
        np.repeat(mixtures, 2, axis=0),
        np.repeat(noise, 2, axis=0),
    )
    held_out = cross_validate(GaussianProcess(), swarm, folds=10, rng=rng)
    assert np.array_equal(held_out.folds[::2], held_out.folds[1::2])
    assert (held_out.scores()[0].r2 or 0) < 0.1


def test_leave_one_out_is_the_average_over_all_runs_left_out(rng: np.random.Generator) -> None:
    swarm = Simulation.create(domains=3, rng=rng).swarm(count=9, noise=0.1, rng=rng)
    held_out = cross_validate(Linear(), swarm, rng=rng)
    for run in range(9):
        others = [row for row in range(9) if row != run]
        alone = Linear().fit(swarm.take(others), rng=rng).predict(swarm.weights[run : run + 1])[0]
        assert held_out.predicted[run] == pytest.approx(alone)


def test_too_few_distinct_mixtures_cannot_be_cross_validated(rng: np.random.Generator) -> None:
    swarm = Simulation.create(domains=3, rng=rng).swarm(count=4, noise=0.1, rng=rng)
    with pytest.raises(SwarmTooSmallError, match="4 finished proxy runs of 2 distinct mixtures"):
        cross_validate(Linear(), swarm.take([0, 1, 1, 0]), rng=rng)


def test_noise_is_pooled_over_repeated_mixtures(rng: np.random.Generator) -> None:
    weights = np.repeat(rng.dirichlet(np.ones(3), size=50), 4, axis=0)
    values = 2 * weights[:, :1] + 0.03 * rng.normal(size=(200, 1))
    deviation, freedom = pooled_deviation(weights, values)
    assert freedom == 150
    assert deviation[0] == pytest.approx(0.03, rel=0.2)
    lonely, none = pooled_deviation(weights[::4], values[::4])
    assert none == 0
    assert np.isnan(lonely).all()


def test_a_fit_that_hardly_varies_has_no_rank_correlation_either() -> None:
    rng = np.random.default_rng(3)
    problem = Simulation.create(domains=4, rng=rng).problem
    weights = SobolDesign().design(problem, count=24, rng=rng)

    class Hardly(Constant):
        """The mean of what it saw, and a breath of the first weight."""

        def fit(self, swarm: Swarm, /, *, rng: np.random.Generator) -> "Hardly":  # noqa: ARG002
            return Hardly(swarm.values.mean(axis=0))

        def predict(self, weights: FloatArray, /) -> FloatArray:
            return super().predict(weights) + 1e-6 * weights[:, :1]

    noise = Swarm(problem.domains, ("loss",), weights, 3 + 0.01 * rng.standard_normal((24, 1)))
    held_out = cross_validate(Hardly(), noise, rng=rng)
    assert spearman(held_out.measured[:, 0], held_out.predicted[:, 0]) == pytest.approx(-1, abs=0.01)
    assert held_out.scores()[0].spearman is None
