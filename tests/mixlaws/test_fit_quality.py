"""What a fit is worth: intervals of scores, calibration, and the sentence, on data whose truth is known."""

import math

import numpy as np
import pytest
from scipy.stats import spearmanr

from mixlaws.coverage import coverage
from mixlaws.figures.calibration import calibration
from mixlaws.figures.prediction import prediction
from mixlaws.figures.residuals import residuals
from mixlaws.figures.standing_out import standing_out
from mixlaws.figures.style import colours
from mixlaws.fit_verdict import fit_verdict
from mixlaws.intervals import tail_factors
from mixlaws.regressors.gaussian_process import GaussianProcess
from mixlaws.regressors.linear import Linear
from mixlaws.score_intervals import ScoreIntervals, score_intervals
from mixlaws.simulation import Simulation
from mixlaws.validation import cross_validate


def test_intervals_hold_the_score_of_many_runs_about_as_often_as_they_say() -> None:
    rng = np.random.default_rng(0)
    held_rank, held_error = [], []
    many = rng.normal(size=200_000)
    error = 0.8 * rng.normal(size=many.size)
    real_rank = float(np.corrcoef(many.argsort().argsort(), (many + error).argsort().argsort())[0, 1])
    real_error = float(np.abs(error).mean())
    for _ in range(60):
        truth = rng.normal(size=60)
        found = score_intervals(truth, truth + 0.8 * rng.normal(size=60), np.arange(60), rng=rng)
        assert found is not None
        held_rank.append(found.spearman[0] <= real_rank <= found.spearman[1])
        held_error.append(found.mae[0] <= real_error <= found.mae[1])
    assert np.mean(held_rank) > 0.85
    assert np.mean(held_error) > 0.85


def test_repeats_of_a_mixture_tell_less_than_as_many_mixtures() -> None:
    rng = np.random.default_rng(1)
    truth, error = np.repeat(rng.normal(size=20), 5), np.repeat(rng.normal(size=20), 5)
    apart = score_intervals(truth, truth + error, np.arange(100), rng=rng)
    together = score_intervals(truth, truth + error, np.repeat(np.arange(20), 5), rng=rng)
    assert apart is not None
    assert together is not None
    assert np.diff(together.mae) > 1.5 * np.diff(apart.mae)


@pytest.mark.parametrize("seed", range(3))
def test_intervals_are_those_of_draws_that_are_ranked_one_by_one(seed: int) -> None:
    rng = np.random.default_rng(seed)
    mixtures = np.unique(rng.integers(30, size=80), return_inverse=True)[1]
    measured = rng.normal(size=80).round(int(rng.integers(3)))  # of one digit many are equal
    predicted = (measured + rng.normal(size=80)).round(int(rng.integers(3)))
    again = np.random.default_rng(seed)
    ranks, errors = [], []
    for _ in range(400):
        numbers = again.integers(mixtures.max() + 1, size=mixtures.max() + 1)
        drawn = np.concatenate([np.flatnonzero(mixtures == number) for number in numbers])
        ranks.append(spearmanr(measured[drawn], predicted[drawn]).statistic)
        errors.append(np.abs(predicted - measured)[drawn].mean())
    found = score_intervals(measured, predicted, mixtures, rng=np.random.default_rng(seed))
    assert found is not None
    np.testing.assert_allclose(found.spearman, np.quantile(ranks, [0.025, 0.975]), rtol=1e-9)
    np.testing.assert_allclose(found.mae, np.quantile(errors, [0.025, 0.975]), rtol=1e-9)


@pytest.mark.parametrize("runs", [3, 40])
def test_where_nothing_can_be_told_there_is_no_interval(runs: int) -> None:
    measured = np.arange(runs, dtype=np.float64)
    predicted = measured if runs == 3 else np.zeros(runs)
    assert score_intervals(measured, predicted, np.arange(runs), rng=np.random.default_rng(0)) is None


@pytest.mark.parametrize("freedom", [math.inf, 4.0])
def test_right_deviations_are_found_right_and_half_of_them_too_sure(freedom: float) -> None:
    rng = np.random.default_rng(2)
    deviation = rng.uniform(0.5, 2.0, size=(4000, 2))
    error = deviation * rng.standard_normal((4000, 2)) * tail_factors(freedom, (4000, 2), rng)
    right = coverage(error, np.zeros_like(error), deviation, freedom=freedom)
    assert right.shares == pytest.approx(right.levels, abs=0.03)
    sure = coverage(error, np.zeros_like(error), deviation / 2, freedom=freedom)
    assert np.all(sure.shares[3:] < sure.chance[0, 3:])


def test_a_process_tells_how_sure_it_is_of_runs_that_it_did_not_see_and_a_line_does_not() -> None:
    rng = np.random.default_rng(3)
    swarm = Simulation.create(domains=3, rng=rng).swarm(count=20, noise=0.01, rng=rng)
    found = cross_validate(GaussianProcess(), swarm, folds=4, rng=rng)
    assert found.deviation is not None
    seen = GaussianProcess().fit(swarm, rng=rng).deviation(swarm.weights)
    assert np.median(found.deviation) > np.median(seen)  # of a run that was seen it is surer
    assert cross_validate(Linear(), swarm, folds=4, rng=rng).deviation is None


def test_residuals_of_a_known_truth_are_the_noise_that_was_added() -> None:
    rng = np.random.default_rng(4)
    truth, noise = rng.uniform(3, 4, size=50), 0.01 * rng.standard_normal(50)
    band, points = residuals(truth, truth + noise, noise=0.01, labels=[f"run {i}" for i in range(50)]).data
    assert np.allclose(points.y, noise)
    assert set(band.y) == {-0.02, 0.02}
    assert {min(band.x), max(band.x)} == {truth.min(), truth.max()}
    (alone,) = residuals(truth, truth, noise=None).data
    assert not np.any(alone.y)


def test_a_calibration_is_drawn_against_what_was_promised() -> None:
    levels, shares = np.array([0.5, 0.8]), np.array([0.4, 0.7])
    *_, line = calibration(levels, shares, np.array([[0.3, 0.6], [0.7, 1.0]])).data
    assert list(zip(line.x, line.y, strict=True)) == [(0.5, 0.4), (0.8, 0.7)]


def test_a_choice_of_targets_keeps_their_colours() -> None:
    values = np.ones((4, 3))
    _, drawn = prediction(["a", "b", "c"], values, values, only=["c"]).data
    assert (drawn.name, drawn.marker.color) == ("c", colours(["a", "b", "c"])["c"])


def test_of_too_many_points_the_farthest_are_kept_and_the_rest_thinned_evenly() -> None:
    distance = np.zeros(1000)
    distance[[3, 500]] = -9.0, 4.0
    kept = standing_out(distance, 100)
    assert len(kept) == 100
    assert {3, 500} <= set(kept.tolist())
    assert np.all(np.diff(kept) > 0)
    assert kept[-1] == 999
    assert np.array_equal(standing_out(distance, 1000), np.arange(1000))


def told(spearman: float | None, low: float, mae: float, noise: float | None) -> str:
    between = ScoreIntervals((low, 0.95), (mae / 2, 2 * mae))
    return fit_verdict("linear", runs=30, spearman=spearman, mae=mae, intervals=between, noise=noise)


def test_the_sentence_says_whether_to_propose_and_what_would_help() -> None:
    assert "no more than two seeds" in told(0.9, 0.85, 0.01, 0.01)
    assert "good guide" in told(0.9, 0.85, 0.01, 0.01)
    assert "weak guide" in told(0.6, 0.2, 0.05, 0.01)
    assert "5.0 times the deviation between seeds" in told(0.9, 0.6, 0.05, 0.01)
    assert "repeat a mixture" in told(0.9, 0.6, 0.05, None)
    assert "propose nothing from it" in told(0.4, -0.1, 0.05, 0.01)
    assert "propose nothing from it" in told(None, 0.0, 0.05, 0.01)
