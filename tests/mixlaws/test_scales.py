"""Runs of several scales: fitted together, scored within a scale, and chosen by what they are worth."""

import json
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from mixlaws.auto.auto import Auto
from mixlaws.designs.sobol import SobolDesign
from mixlaws.errors import FitError, InvalidInputError
from mixlaws.proposers.convex import ConvexProposer
from mixlaws.proposers.value_per_flop import ValuePerFlop
from mixlaws.regressors.gaussian_process import GaussianProcess
from mixlaws.regressors.linear import Linear
from mixlaws.regressors.multi_scale import MultiScale, MultiScalePredictor
from mixlaws.scale_simulation import ScaleSimulation
from mixlaws.scales import Scale, apart, check_known, holds_for, scales_of
from mixlaws.swarm import Swarm
from mixlaws.validation import cross_validate, pooled_deviation, spearman
from tests.reference_data import five_mix, five_mix_shares

SMALL, LARGE = Scale(1e7, 2e8), Scale(4e7, 8e8)


def simulated(seed: int, *, small: int, large: int, drift: float = 0.1) -> tuple[ScaleSimulation, Swarm]:
    """A world, and runs of it over one design: all small, the first few large too."""
    rng = np.random.default_rng(seed)
    world = ScaleSimulation.create(domains=4, scale=LARGE, drift=drift, rng=rng)
    weights = SobolDesign().design(world.largest.problem, count=small, rng=rng)
    everything = np.concatenate([weights, weights[:large]])
    return world, world.measure(everything, [SMALL] * small + [LARGE] * large, noise=0.01, rng=rng)


def joined(*parts: Swarm) -> Swarm:
    columns = {
        name: np.concatenate([getattr(part, name) for part in parts])
        for name in ("weights", "values", "model_parameters", "tokens")
    }
    return Swarm(parts[0].domains, parts[0].targets, **columns)


def test_scales_within_a_hundredth_are_one_and_the_largest_is_that_of_most_compute() -> None:
    _, runs = simulated(0, small=6, large=3)
    assert runs.tokens is not None
    hair = replace(runs, tokens=runs.tokens * np.linspace(1, 1.005, len(runs)))
    scales, numbers = scales_of(hair)
    assert [scale.model_parameters for scale in scales] == [1e7, 4e7]
    assert numbers.tolist() == [0] * 6 + [1] * 3
    assert LARGE.flops == 6 * 4e7 * 8e8


@pytest.mark.parametrize("seed", range(3))
def test_small_runs_beside_few_large_ones_predict_the_large_scale_better_than_either_alone(seed: int) -> None:
    world, runs = simulated(seed, small=40, large=6)
    unseen = SobolDesign().design(world.largest.problem, count=200, rng=np.random.default_rng(99))
    truth = world.largest.truth.predict(unseen)
    rng = np.random.default_rng(1)

    def error(part: Swarm) -> float:
        method = MultiScale() if part is runs else GaussianProcess()
        return float(np.abs(method.fit(part, rng=rng).predict(unseen) - truth).mean())

    alone = error(runs.take(range(40, 46))), error(runs.take(range(40)))
    assert error(runs) < 0.5 * min(alone)


def test_two_large_runs_lift_the_published_small_ones_to_the_large_scale(reference_data: Path) -> None:
    small, large = (five_mix(reference_data, size=size, step=30_000) for size in ("160M", "410M"))
    few, rest = [3, 17], np.setdiff1d(np.arange(len(large)), [3, 17])
    fitted = MultiScale().fit(joined(small, large.take(few)), rng=np.random.default_rng(0))
    coefficients = large.coefficients(five_mix_shares(reference_data))
    told, measured = (values[rest] @ coefficients for values in (fitted.predict(large.weights), large.values))
    # 26 large runs, each left out in turn, are predicted within .0066; the scales differ by .2 nats.
    assert np.abs(told - measured).mean() < 0.02
    assert (spearman(told, measured) or 0) > 0.9


def test_a_scale_that_was_not_run_follows_the_power_law_of_its_level() -> None:
    rng = np.random.default_rng(4)
    world = ScaleSimulation.create(domains=3, scale=Scale(8e7, 1e9), drift=0.0, rng=rng)
    weights = SobolDesign().design(world.largest.problem, count=12, rng=rng)
    scales = [Scale(size, 1e9) for size in (1e7, 2e7, 4e7)]
    every = [scale for scale in scales for _ in weights]
    fitted = MultiScale().fit(world.measure(np.tile(weights, (3, 1)), every, noise=0.0, rng=rng), rng=rng)
    further = fitted.at(model_parameters=8e7)
    error = np.abs(further.predict(weights) - world.largest.truth.predict(weights)).mean()
    step = np.abs(fitted.predict(weights) - world.largest.truth.predict(weights)).mean()
    assert error < 0.25 * step
    with pytest.raises(InvalidInputError, match=r"tokens is 2.*say nothing of other training tokens"):
        fitted.at(tokens=2e9)


def test_slopes_deviations_and_draws_are_those_of_the_scale_that_is_asked_for() -> None:
    _, runs = simulated(2, small=20, large=8)
    fitted = MultiScale().fit(runs, rng=np.random.default_rng(0))
    loaded = MultiScale().load(json.loads(json.dumps(fitted.at(model_parameters=1e7, tokens=2e8).dump())))
    assert loaded.scale == SMALL
    assert holds_for(fitted, runs) == LARGE
    at, step = np.array([[0.4, 0.3, 0.2, 0.1]]), np.array([[1e-5, -1e-5, 0.0, 0.0]])
    for predictor in (fitted, loaded):
        rise = (predictor.predict(at + step) - predictor.predict(at - step))[0] / 2
        assert predictor.jacobian(at)[0] @ step[0] == pytest.approx(rise, rel=1e-3)
        draws = predictor.sample(at, count=4000, rng=np.random.default_rng(1))[:, 0]
        assert draws.std(axis=0) == pytest.approx(predictor.deviation(at)[0], rel=0.1)
        assert draws.mean(axis=0) == pytest.approx(predictor.predict(at)[0], abs=0.01)


def test_held_out_scores_are_those_within_a_scale() -> None:
    world, runs = simulated(3, small=20, large=20)
    coefficients = np.full(4, 0.25)
    shuffled = replace(runs, values=runs.values[np.random.default_rng(0).permutation(20).repeat(2)])
    levelled = replace(shuffled, values=shuffled.values + np.repeat([[2.0], [0.0]], 20, axis=0))
    rng = np.random.default_rng(5)
    good = cross_validate(MultiScale(), runs, folds=5, rng=rng).objective_scores(coefficients)
    assert good.spearman is not None
    assert good.spearman > 0.85
    assert good.r2 is not None
    assert good.r2 > 0.5
    # Values that no mixture explains, two nats apart between scales: to tell scales apart is no merit.
    none = cross_validate(MultiScale(), levelled, folds=5, rng=rng).objective_scores(coefficients)
    assert none.spearman is not None
    assert none.spearman < 0.5
    assert none.r2 is not None
    assert none.r2 < 0.3
    assert world.scale == LARGE


def test_a_mixture_at_two_scales_is_no_repeat() -> None:
    _, runs = simulated(3, small=8, large=8)
    assert pooled_deviation(apart(runs), runs.values)[1] == 0
    twice = joined(runs, runs)
    deviation, freedom = pooled_deviation(apart(twice), twice.values)
    assert (deviation.max(), freedom) == (pytest.approx(0.0, abs=1e-12), 16)


def test_a_method_that_knows_no_scale_is_refused_where_it_was_asked_to_look() -> None:
    _, runs = simulated(3, small=8, large=4)
    with pytest.raises(InvalidInputError, match="linear would take for one of mixtures"):
        check_known("linear", Linear(), runs)
    check_known("linear", Linear(), runs.take(range(8)))
    check_known("auto", Auto(), runs)


def test_auto_scores_members_by_transfer_and_answers_for_the_largest_scale() -> None:
    world, runs = simulated(6, small=16, large=8)
    runs, truth = runs.only(runs.targets[:1]), world.largest.truth
    unseen = SobolDesign().design(world.largest.problem, count=100, rng=np.random.default_rng(9))
    estimator = Auto(prefer="transfer")
    fitted = estimator.fit(runs, rng=np.random.default_rng(0))
    rows = {row.member: row for row in fitted.table}
    assert rows["constant"].transfer_spearman is None
    known = [(row.weight, row.transfer_spearman) for row in fitted.table if row.transfer_spearman is not None]
    assert sum(weight * rank for weight, rank in known) > np.median([rank for _, rank in known])
    loaded = estimator.load(json.loads(json.dumps(fitted.dump())))
    told, measured = loaded.predict(unseen), truth.predict(unseen)[:, :1]
    assert (spearman(told.mean(axis=1), measured.mean(axis=1)) or 0) > 0.8
    assert np.abs(told - measured).mean() < 0.05
    assert holds_for(loaded, runs) == LARGE
    assert fitted.held_out is not None
    np.testing.assert_array_equal(fitted.held_out.measured, runs.values)


def by_value(world: ScaleSimulation, budget: float, rng: np.random.Generator) -> Swarm:
    """Sixteen small and two large runs to begin with, and the rest of a budget by value."""
    weights = SobolDesign().design(world.largest.problem, count=16, rng=rng)
    everything, scales = np.concatenate([weights, weights[:2]]), [SMALL] * 16 + [LARGE] * 2
    runs = world.measure(everything, scales, noise=0.01, rng=rng)
    left = budget - sum(float(scale.flops or 0) for scale in scales)
    fitted = MultiScale().fit(runs, rng=rng)
    proposer = ValuePerFlop(budget=left, candidates=600, kept=60, draws=32)
    chosen = proposer.propose(fitted, world.largest.problem, count=100, rng=rng)
    asked = [Scale(p.details["model_parameters"], p.details["tokens"]) for p in chosen]
    return joined(runs, world.measure(np.array([p.weights for p in chosen]), asked, noise=0.01, rng=rng))


def test_for_one_budget_runs_chosen_by_value_leave_less_regret_than_large_or_small_ones_alone() -> None:
    count, regrets = 6, dict[str, list[float]](value=[], large=[], small=[])
    for seed in range(6):
        rng = np.random.default_rng(seed)
        world = ScaleSimulation.create(domains=3, scale=LARGE, drift=0.5, rng=rng)
        swarms = {"value": by_value(world, count * float(LARGE.flops or 0), rng)}
        for name, scale, runs in (("large", LARGE, count), ("small", SMALL, 16 * count)):
            weights = SobolDesign().design(world.largest.problem, count=runs, rng=rng)
            swarms[name] = world.measure(weights, [scale] * runs, noise=0.01, rng=rng)
        for name, swarm in swarms.items():
            fitted = (MultiScale() if name == "value" else GaussianProcess(tuning_runs=64)).fit(
                swarm, rng=rng
            )
            solver = ConvexProposer(kl=0.0, starts=1)
            best = solver.propose(fitted, world.largest.problem, count=1, rng=rng)[0]
            regrets[name].append(world.largest.regret(best.weights, rng=rng))
    middle = {name: float(np.median(found)) for name, found in regrets.items()}
    assert middle["value"] < 0.7 * min(middle["large"], middle["small"]), middle


def test_a_batch_keeps_to_its_budget_and_asks_for_what_it_needs() -> None:
    world, runs = simulated(7, small=16, large=4)
    problem, rng = world.largest.problem, np.random.default_rng(0)
    fitted = MultiScale().fit(runs, rng=rng)
    budget = 3.5 * float(LARGE.flops or 0)
    proposer = ValuePerFlop(budget=budget, candidates=300, kept=30, draws=16)
    chosen = proposer.propose(fitted, problem, count=50, rng=rng)
    assert 0 < sum(p.details["flops"] for p in chosen) <= budget
    assert len({(*p.weights.round(9), p.details["tokens"]) for p in chosen}) == len(chosen)
    values = [p.details["value_per_exaflop"] for p in chosen]
    assert min(values) >= 0
    with pytest.raises(InvalidInputError, match="cheapest run costs"):
        replace(proposer, budget=1.0).propose(fitted, problem, count=1, rng=rng)
    with pytest.raises(FitError, match="by multi_scale"):
        proposer.propose(world.largest.truth, problem, count=1, rng=rng)
    untold: MultiScalePredictor = MultiScale().fit(replace(runs, tokens=None), rng=rng)
    with pytest.raises(InvalidInputError, match="cost is not known"):
        proposer.propose(untold, problem, count=1, rng=rng)
