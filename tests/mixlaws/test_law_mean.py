"""Around a law, a process keeps what the law knows and mends what it does not."""

import json
from typing import Literal

import numpy as np
import pytest

from mixlaws.arrays import FloatArray
from mixlaws.domains import DomainSet
from mixlaws.errors import FitError, SwarmTooSmallError
from mixlaws.laws.exponential import ExponentialForm
from mixlaws.laws.fitting import FittedLaw
from mixlaws.regressors.gaussian_process import GaussianProcess
from mixlaws.regressors.law_mean import LawMeanPredictor
from mixlaws.simulation import Simulation
from mixlaws.swarm import Swarm
from mixlaws.validation import cross_validate

DOMAINS = DomainSet(("a", "b", "c", "d"), (1, 1, 1, 1))
Mean = Literal["constant", "exponential"]


def true_law(rng: np.random.Generator) -> FittedLaw:
    floor, tilt = rng.uniform(1.5, 2.5, (3, 1)), rng.normal(-0.3, 1.5, (3, 4))
    return FittedLaw(ExponentialForm(), np.concatenate([floor, tilt], axis=1), ridge=0.0)


def ripples(rng: np.random.Generator) -> tuple[FloatArray, FloatArray]:
    return 4 * rng.normal(size=(4, 3)), rng.uniform(0, 6, 3)


def runs(weights: FloatArray, truth: FloatArray, rng: np.random.Generator) -> Swarm:
    values = truth + 0.01 * rng.standard_normal(truth.shape)
    return Swarm(DOMAINS, tuple(f"t{t}" for t in range(truth.shape[1])), weights, values)


def error(swarm: Swarm, mean: Mean, elsewhere: FloatArray, truth: FloatArray) -> float:
    """Root mean squared error at unseen mixtures, in spreads of the targets."""
    predictor = GaussianProcess(mean=mean).fit(swarm, rng=np.random.default_rng(0))
    return float(np.sqrt((((predictor.predict(elsewhere) - truth) / truth.std(axis=0)) ** 2).mean()))


@pytest.mark.parametrize("count", [16, 24])
def test_where_the_law_is_true_it_carries_on_beyond_the_runs(count: int) -> None:
    ratios = []
    for seed in range(4):
        rng = np.random.default_rng(seed)
        law = true_law(rng)
        # The runs are near the middle, the mixtures asked for are everywhere.
        near, far = rng.dirichlet(np.full(4, 4.0), size=count), rng.dirichlet(np.ones(4), size=300)
        swarm, truth = runs(near, law.predict(near), rng), law.predict(far)
        ratios.append(error(swarm, "exponential", far, truth) / error(swarm, "constant", far, truth))
    assert np.median(ratios) < 0.5
    assert max(ratios) < 1.0


def test_where_the_law_is_false_little_is_lost() -> None:
    ratios = []
    for seed in range(6):
        rng = np.random.default_rng(seed)
        slopes, phases = ripples(rng)
        weights, elsewhere = rng.dirichlet(np.full(4, 2.0), size=24), rng.dirichlet(np.full(4, 2.0), size=300)
        measured, truth = (3 + 0.3 * np.sin(np.sqrt(w) @ slopes + phases) for w in (weights, elsewhere))
        swarm = runs(weights, measured, rng)
        ratios.append(
            error(swarm, "exponential", elsewhere, truth) / error(swarm, "constant", elsewhere, truth)
        )
    assert np.median(ratios) < 1.6


@pytest.fixture(scope="module")
def predictor() -> LawMeanPredictor:
    rng = np.random.default_rng(3)
    weights = rng.dirichlet(np.full(4, 2.0), size=24)
    slopes, phases = ripples(rng)
    truth = true_law(rng).predict(weights) + 0.1 * np.sin(np.sqrt(weights) @ slopes + phases)
    fitted = GaussianProcess(mean="exponential").fit(runs(weights, truth, rng), rng=rng)
    assert isinstance(fitted, LawMeanPredictor)
    return fitted


def test_slopes_are_those_of_the_prediction(predictor: LawMeanPredictor, rng: np.random.Generator) -> None:
    at, step = rng.dirichlet(np.full(4, 5.0), size=6), 1e-6
    exact = predictor.jacobian(at)
    for j in range(4):
        off = step * np.eye(4)[j]
        numeric = (predictor.predict(at + off) - predictor.predict(at - off)) / (2 * step)
        assert exact[:, :, j] == pytest.approx(numeric, rel=1e-4, abs=1e-5)


def test_draws_have_the_mean_and_the_deviation_that_are_told(
    predictor: LawMeanPredictor, rng: np.random.Generator
) -> None:
    at = rng.dirichlet(np.full(4, 2.0), size=5)
    draws = predictor.sample(at, count=4000, rng=rng)
    assert np.median(draws, axis=0) == pytest.approx(predictor.predict(at), abs=0.01)
    assert draws.std(axis=0) == pytest.approx(predictor.deviation(at), rel=0.15)


def test_it_survives_json(predictor: LawMeanPredictor, rng: np.random.Generator) -> None:
    at = rng.dirichlet(np.full(4, 2.0), size=5)
    again = GaussianProcess().load(json.loads(json.dumps(predictor.dump())))
    assert isinstance(again, LawMeanPredictor)
    assert again.predict(at) == pytest.approx(predictor.predict(at), abs=1e-12)
    assert again.deviation(at) == pytest.approx(predictor.deviation(at), rel=1e-9)


def test_intervals_hold_the_truth_about_as_often_as_they_say() -> None:
    inside = []
    for seed in range(5):
        rng = np.random.default_rng(seed)
        simulation = Simulation.create(domains=4, rng=rng)
        swarm = simulation.swarm(count=20, noise=0.02, rng=rng)
        unseen = simulation.swarm(count=100, noise=0.0, rng=rng)
        fitted = GaussianProcess(mean="exponential").fit(swarm, rng=rng)
        off = np.abs(fitted.predict(unseen.weights) - unseen.values) / fitted.deviation(unseen.weights)
        inside.append((off < 1.2816).mean())
    assert 0.65 < np.mean(inside) < 0.95  # 80 % intervals


def test_a_score_of_pure_noise_is_none() -> None:
    # A law that saw the run would follow its noise, and its held-out scores would be better than nothing.
    rng = np.random.default_rng(0)
    weights = rng.dirichlet(np.ones(4), size=30)
    swarm = runs(weights, 3 + 0.3 * rng.standard_normal((30, 3)), rng)
    found = cross_validate(GaussianProcess(mean="exponential"), swarm, folds=8, rng=rng)
    assert max(scores.r2 or 0.0 for scores in found.scores()) < 0.1


def test_what_a_law_cannot_be_fitted_to_is_refused(rng: np.random.Generator) -> None:
    weights = rng.dirichlet(np.ones(4), size=12)
    zero = runs(weights, np.ones((12, 1)), rng)
    zero = Swarm(DOMAINS, zero.targets, weights, zero.values - zero.values.min())
    with pytest.raises(FitError, match=r"target 't0' has the value 0, and .* use the constant mean"):
        GaussianProcess(mean="exponential").fit(zero, rng=rng)
    with pytest.raises(SwarmTooSmallError, match=r"5 finished proxy runs; .* needs at least 6"):
        GaussianProcess(mean="exponential").fit(runs(weights[:5], np.full((5, 1), 3.0), rng), rng=rng)
