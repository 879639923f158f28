"""The Gaussian process finds what matters, says how sure it is, and takes values of any sign."""

import numpy as np
import pytest

from mixlaws.arrays import FloatArray
from mixlaws.domains import DomainSet
from mixlaws.regressors.gaussian_process import GaussianProcess
from mixlaws.regressors.process import GaussianProcessPredictor
from mixlaws.swarm import Swarm

DOMAINS = DomainSet(("a", "b", "c", "d", "e", "f"), (1, 1, 1, 1, 1, 1))


def loss(weights: FloatArray) -> FloatArray:
    """Falls with the shares of a and b; the other domains are of no use."""
    return np.stack([2 + np.exp(-8 * weights[:, 0]), 2.5 + 0.7 * np.exp(-5 * weights[:, 1])], axis=1)


def fitted(values: FloatArray, weights: FloatArray) -> GaussianProcessPredictor:
    swarm = Swarm(DOMAINS, tuple(f"t{t}" for t in range(values.shape[1])), weights, values)
    process = GaussianProcess().fit(swarm, rng=np.random.default_rng(0))
    assert isinstance(process, GaussianProcessPredictor)
    return process


def test_the_domain_that_serves_a_target_has_its_shortest_length(rng: np.random.Generator) -> None:
    weights = rng.dirichlet(np.ones(6), size=40)
    process = fitted(loss(weights) + 0.005 * rng.standard_normal((40, 2)), weights)
    assert process.length.argmin(axis=1).tolist() == [0, 1]
    elsewhere = rng.dirichlet(np.ones(6), size=200)
    error = process.predict(elsewhere) - loss(elsewhere)
    assert np.sqrt((error**2).mean()) < 0.1 * loss(elsewhere).std(axis=0).mean()


def test_intervals_cover_the_truth_about_as_often_as_they_say(rng: np.random.Generator) -> None:
    inside = []
    for _ in range(8):
        weights, elsewhere = rng.dirichlet(np.ones(6), size=30), rng.dirichlet(np.ones(6), size=60)
        process = fitted(loss(weights) + 0.02 * rng.standard_normal((30, 2)), weights)
        off = np.abs(process.predict(elsewhere) - loss(elsewhere)) / process.deviation(elsewhere)
        inside.append((off < 1.2816).mean())
    assert 0.65 < np.mean(inside) < 0.95  # 80 % intervals


def test_a_metric_that_may_be_negative_is_fitted_as_it_is(rng: np.random.Generator) -> None:
    weights = rng.dirichlet(np.ones(6), size=40)
    values = np.stack([loss(weights)[:, 0], loss(weights)[:, 0] - 2.4], axis=1)
    process = fitted(values, weights)
    assert process.logarithmic.tolist() == [1, 0]
    elsewhere = rng.dirichlet(np.ones(6), size=100)
    predicted = process.predict(elsewhere)
    assert predicted[:, 1] == pytest.approx(predicted[:, 0] - 2.4, abs=0.05)


def test_draws_have_the_mean_and_the_deviation_that_are_told(rng: np.random.Generator) -> None:
    weights = rng.dirichlet(np.ones(6), size=20)
    process = fitted(loss(weights) + 0.02 * rng.standard_normal((20, 2)), weights)
    elsewhere = rng.dirichlet(np.ones(6), size=5)
    draws = process.sample(elsewhere, count=4000, rng=rng)
    assert np.median(draws, axis=0) == pytest.approx(process.predict(elsewhere), abs=0.01)
    assert draws.std(axis=0) == pytest.approx(process.deviation(elsewhere), rel=0.15)


@pytest.mark.parametrize("noise", [0.0, 1e-6])
def test_a_target_that_is_linear_to_rounding_can_be_fitted(noise: float, rng: np.random.Generator) -> None:
    weights = rng.dirichlet(np.ones(6), size=40)
    trend = np.exp(np.sqrt(weights) @ np.arange(6.0))[:, None]
    process = fitted(trend * (1 + noise * rng.standard_normal(trend.shape)), weights)
    elsewhere = rng.dirichlet(np.ones(6), size=50)
    truth = np.exp(np.sqrt(elsewhere) @ np.arange(6.0))[:, None]
    assert process.predict(elsewhere) == pytest.approx(truth, rel=0.02)
