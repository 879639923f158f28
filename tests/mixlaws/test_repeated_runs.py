"""Runs of one mixture count as often as they were made, with the noise that they show."""

import dataclasses

import numpy as np
import pytest

from mixlaws.arrays import FloatArray
from mixlaws.auto.held_out import hold_out
from mixlaws.domains import DomainSet
from mixlaws.errors import InvalidInputError
from mixlaws.regressors.gaussian_process import GaussianProcess
from mixlaws.regressors.process import GaussianProcessPredictor
from mixlaws.regressors.repeats import gathered, moderated, ungathered
from mixlaws.regressors.tuning import Observed, _Posterior
from mixlaws.swarm import Swarm, mixture_numbers

DOMAINS = DomainSet(("a", "b", "c", "d"), (1, 1, 1, 1))


def loss(weights: FloatArray) -> FloatArray:
    return np.stack([2 + np.exp(-6 * weights[:, 0]), 3 + 0.5 * np.exp(-4 * weights[:, 1])], axis=1)


def repeated(mixtures: int, times: int, deviation: FloatArray, rng: np.random.Generator) -> Swarm:
    """Every mixture so many times, with (mixtures,) deviations of its noise."""
    weights = np.repeat(rng.dirichlet(np.ones(4), size=mixtures), times, axis=0)
    noise = np.repeat(deviation, times)[:, None] * rng.standard_normal((len(weights), 2))
    return Swarm(DOMAINS, ("x", "y"), weights, loss(weights) + noise)


def fitted(swarm: Swarm, estimator: GaussianProcess) -> GaussianProcessPredictor:
    process = estimator.fit(swarm, rng=np.random.default_rng(0))
    assert isinstance(process, GaussianProcessPredictor)
    return process


def test_equally_noisy_repeats_gathered_say_what_all_runs_say(rng: np.random.Generator) -> None:
    swarm = repeated(12, 3, np.full(12, 0.02), rng)
    # As they are and not as logarithms, whose mean is not the logarithm of the mean.
    swarm = dataclasses.replace(swarm, values=swarm.values - 5)
    all_runs, rows = ungathered(swarm.weights, swarm.values), gathered(swarm)
    z = np.sqrt(rows.weights)
    for t in range(2):
        alone = Observed(all_runs.values[:, t], all_runs.count, all_runs.ratio[:, t], all_runs.scatter[:, t])
        means = Observed(rows.values[:, t], rows.count, np.ones(12), rows.scatter[:, t])
        long = _Posterior(z[rows.row], alone, "5/2", linear=True, floor_below=None)
        short = _Posterior(z, means, "5/2", linear=True, floor_below=None)
        # Both standardise by their own spread, and the first has its jitter once a run.
        ratio = (swarm.values[:, t].std() / rows.values[:, t].std()) ** 2
        theta = long.centre + rng.normal(0, 0.3, len(long.centre))
        assert short(theta)[1] == pytest.approx(long(theta)[1], rel=1e-4, abs=1e-4)
        assert short.kernel(theta).amplitude == pytest.approx(long.kernel(theta).amplitude * ratio, rel=1e-4)


def test_cost_follows_mixtures_and_one_run_of_each_changes_nothing(rng: np.random.Generator) -> None:
    swarm = repeated(9, 4, np.full(9, 0.02), rng)
    assert fitted(swarm, GaussianProcess(noise="repeats")).values.shape == (9, 2)
    single = repeated(20, 1, np.full(20, 0.02), rng)
    equal, own = (fitted(single, GaussianProcess(noise=noise)) for noise in ("equal", "repeats"))
    assert own.predict(swarm.weights) == pytest.approx(equal.predict(swarm.weights), abs=1e-6)


@pytest.mark.parametrize("noise", ["equal", "repeats"])
def test_closed_form_held_out_predictions_are_those_of_refitting_with_the_same_kernel(
    noise: str, rng: np.random.Generator
) -> None:
    swarm = repeated(14, 2, np.linspace(0.01, 0.1, 14), rng)
    process = fitted(swarm, GaussianProcess(noise=noise))  # type: ignore[arg-type]
    folds = np.asarray(rng.permutation(14) % 5)[mixture_numbers(swarm.weights)]
    predicted, deviation = process.held_out(folds)
    fold_of_row = np.zeros(len(process.weights), dtype=np.int64)
    fold_of_row[process.row] = folds
    for fold in range(5):
        kept = fold_of_row != fold
        part = dataclasses.replace(
            process,
            weights=process.weights[kept],
            values=process.values[kept],
            relative=process.relative[kept],
            row=np.arange(kept.sum()),
        )
        out = swarm.weights[folds == fold]
        assert predicted[folds == fold] == pytest.approx(part.predict(out), rel=1e-6)
        assert deviation[folds == fold] == pytest.approx(part.deviation(out), rel=1e-3)


def test_repeats_in_two_folds_have_no_held_out_predictions(rng: np.random.Generator) -> None:
    process = fitted(repeated(6, 2, np.full(6, 0.02), rng), GaussianProcess(noise="repeats"))
    with pytest.raises(InvalidInputError, match="repeats share a fold"):
        process.held_out(np.arange(12) % 2)


def test_closed_form_scores_of_a_large_swarm_are_told_run_by_run(rng: np.random.Generator) -> None:
    swarm = repeated(60, 2, np.full(60, 0.02), rng)
    folds = (np.arange(60) % 4)[mixture_numbers(swarm.weights)]
    found = hold_out(GaussianProcess(noise="repeats"), swarm, folds, rng=rng)
    assert np.abs(found.predicted - loss(swarm.weights)).mean() < 0.05 * swarm.values.std()


def test_where_noise_differs_tenfold_its_weights_predict_better() -> None:
    errors = []
    for seed in range(8):
        rng = np.random.default_rng(seed)
        swarm = repeated(24, 6, np.full(24, 1.0), rng)
        # Runs with much of domain c are ten times as noisy as the others.
        spread = np.where(swarm.weights[:, 2] > 0.25, 0.2, 0.02)[:, None]
        truth = loss(swarm.weights)
        swarm = dataclasses.replace(swarm, values=truth + spread * (swarm.values - truth))
        elsewhere = rng.dirichlet(np.ones(4), size=300)
        errors.append(
            [
                np.abs(
                    fitted(swarm, GaussianProcess(noise=noise)).predict(elsewhere) - loss(elsewhere)
                ).mean()
                for noise in ("equal", "repeats")
            ]
        )
    equal, own = np.mean(errors, axis=0)
    assert own < 0.8 * equal


def test_variances_are_drawn_together_where_luck_explains_their_differences(rng: np.random.Generator) -> None:
    freedom = np.full(200, 2.0)
    alike = moderated(rng.chisquare(freedom) / freedom, freedom)
    assert alike.max() < 2 * alike.min()
    truth = np.repeat([1.0, 100.0], 100)
    drawn = rng.chisquare(freedom) / freedom * truth
    off, raw = (np.abs(np.log(found / truth)).mean() for found in (moderated(drawn, freedom), drawn))
    assert off < raw


@pytest.mark.parametrize("scatter", [0.0, 1e-9])
def test_repeats_that_agree_to_rounding_can_be_fitted(scatter: float, rng: np.random.Generator) -> None:
    swarm = repeated(10, 2, np.full(10, scatter), rng)
    process = fitted(swarm, GaussianProcess(noise="repeats"))
    assert process.predict(swarm.weights) == pytest.approx(loss(swarm.weights), abs=1e-3)
