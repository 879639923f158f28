"""Numbers of step and size extrapolation on the published five-domain runs of Data Mixing Laws."""

from pathlib import Path

import numpy as np
import pytest

from mixlaws.arrays import FloatArray
from mixlaws.estimator import AnyEstimator
from mixlaws.laws.exponential import ExponentialLaw
from mixlaws.regressors.gaussian_process import GaussianProcess
from mixlaws.scaling.agreement import scale_agreement
from mixlaws.scaling.curves import LossCurves
from mixlaws.scaling.nested import NestedLaw
from mixlaws.scaling.size_law import SizeLaw
from mixlaws.scaling.step_law import StepLaw, Tie
from mixlaws.swarm import Swarm
from mixlaws.validation import spearman
from tests.reference_data import five_mix, five_mix_curves, five_mix_shares, three_mix_curves

STEP = 4096 * 256  # tokens
PARAMETERS = {"70M": 18_915_328, "160M": 85_056_000, "305M": 201_541_632, "410M": 302_311_424}


@pytest.fixture(scope="module")
def curves(reference_data: Path) -> LossCurves:
    return five_mix_curves(reference_data, sizes=tuple(PARAMETERS))


@pytest.fixture(scope="module")
def shares(reference_data: Path, curves: LossCurves) -> FloatArray:
    by_group = five_mix_shares(reference_data)
    return np.array([by_group[target] for target in curves.targets])


def step_error(curves: LossCurves, size: str, tie: Tie) -> float:
    """Mean absolute error at step 30,000 of a law fitted on steps 10,000 to 20,000."""
    of_size = curves.take(curves.model_parameters == PARAMETERS[size])
    seen = of_size.take(of_size.tokens <= 20_000 * STEP)
    law = StepLaw(tie=tie, huber_delta=np.inf, warmup_tokens=10_000 * STEP).fit(seen)
    last = of_size.take(of_size.tokens == 30_000 * STEP)
    at = law.at(model_parameters=PARAMETERS[size], tokens=30_000 * STEP)
    return float(np.abs(at.predict(last.weights) - last.values).mean())


# Errors of an independent solver with a coarser grid of exponents, tied per mixture.
@pytest.mark.parametrize(
    ("size", "known"), [("70M", 0.0174), ("160M", 0.0214), ("305M", 0.0269), ("410M", 0.0264)]
)
def test_the_step_law_extrapolates_as_well_as_was_measured(
    curves: LossCurves, size: str, known: float
) -> None:
    assert step_error(curves, size, "mixture") < known + 5e-4


def test_the_step_law_of_the_smallest_model_hits_the_known_error(curves: LossCurves) -> None:
    assert step_error(curves, "70M", "mixture") == pytest.approx(0.0174, abs=2e-4)


@pytest.mark.parametrize("size", sorted(PARAMETERS))
def test_an_exponent_shared_by_all_curves_extrapolates_better(curves: LossCurves, size: str) -> None:
    assert step_error(curves, size, "size") < 0.85 * step_error(curves, size, "mixture")


@pytest.mark.parametrize("size", ["70M", "160M"])
def test_the_first_steps_of_real_runs_ruin_a_step_law_unless_they_are_left_out(
    reference_data: Path, size: str
) -> None:
    # Three-domain runs with a checkpoint every 500 steps, the first ones within the warm-up.
    curves = three_mix_curves(reference_data, size=size)
    seen, goal = curves.take(curves.tokens <= 30_000 * STEP), curves.take(curves.tokens == 60_000 * STEP)

    def error(first_step: int) -> float:
        law = StepLaw(warmup_tokens=first_step * STEP).fit(seen)
        at = law.at(model_parameters=PARAMETERS[size], tokens=60_000 * STEP)
        return float(np.abs(at.predict(goal.weights) - goal.values).mean())

    assert error(10_000) < 0.6 * error(0)
    assert error(5_000) < 0.3 * error(0)


def test_transfer_between_sizes_differs_by_target(reference_data: Path) -> None:
    small, large = (five_mix(reference_data, size=size, step=30_000) for size in ("70M", "410M"))
    ranks = {target: found.spearman or 0.0 for target, found in scale_agreement(small, large).items()}
    assert min(ranks, key=lambda target: ranks[target]) == "internet"
    assert ranks["internet"] < 0.86
    assert min(rank for target, rank in ranks.items() if target != "internet") > 0.96


def test_the_size_law_carries_three_sizes_to_a_fourth(curves: LossCurves, shares: FloatArray) -> None:
    end = curves.take(curves.tokens == 30_000 * STEP)
    large = end.model_parameters == PARAMETERS["410M"]
    law = SizeLaw().fit(end.take(~large))
    at = law.at(model_parameters=PARAMETERS["410M"], tokens=30_000 * STEP)
    measured, predicted = end.take(large).values, at.predict(end.take(large).weights)
    assert np.all(law.laws.exponent == law.laws.exponent[0, 0])
    assert law.laws.exponent[0, 0] == pytest.approx(0.170, abs=0.005)
    assert np.abs(predicted - measured).mean() == pytest.approx(0.0080, abs=2e-4)
    assert np.abs((predicted - measured) @ shares).mean() == pytest.approx(0.0053, abs=2e-4)
    assert spearman(measured @ shares, predicted @ shares) == pytest.approx(0.974, abs=1e-3)


def test_the_raw_rank_of_a_small_proxy_is_what_was_measured(reference_data: Path, shares: FloatArray) -> None:
    small, large = (five_mix(reference_data, size=size, step=30_000) for size in ("70M", "410M"))

    def overall(swarm: Swarm) -> Swarm:
        return Swarm(swarm.domains, ("overall",), swarm.weights, (swarm.values @ shares)[:, None])

    found = scale_agreement(overall(small), overall(large))["overall"]
    assert found.spearman == pytest.approx(0.889, abs=1e-3)
    assert found.shift < -0.5
    assert found.affine_r2 is not None
    assert 0.8 < found.affine_r2 < 1


def nested_on_left_out_mixtures(
    curves: LossCurves, law: AnyEstimator, *, last_step: int
) -> tuple[FloatArray, FloatArray, FloatArray]:
    """Measured, predicted and constant (26, t) losses of 410M at step 30,000, five folds of mixtures.

    A fold's mixtures are left out of every stage: step law, size law and mixing law.
    """
    large = curves.model_parameters == PARAMETERS["410M"]
    goal = curves.take(large & (curves.tokens == 30_000 * STEP))
    small = curves.take(~large & (curves.tokens <= last_step * STEP))
    fold = np.random.default_rng(0).permutation(len(goal)) % 5
    predicted, constant = np.empty_like(goal.values), np.empty_like(goal.values)
    nested = NestedLaw(step=StepLaw(warmup_tokens=10_000 * STEP), law=law)
    for part in range(5):
        left_out = goal.weights[fold == part]
        seen = np.abs(small.weights[:, None] - left_out).max(axis=2).min(axis=1) > 1e-9
        fitted = nested.fit(small.take(seen), rng=np.random.default_rng(0))
        scale = {"model_parameters": float(PARAMETERS["410M"]), "tokens": 30_000.0 * STEP}
        predicted[fold == part] = fitted.at(**scale).predict(left_out)
        constant[fold == part] = fitted.table(**scale).values.mean(axis=0)
    return goal.values, predicted, constant


# Mean absolute error of the overall loss that each method reached with runs of 410M itself, same folds:
# exponential .022, additive .009, Gaussian process .007.
@pytest.mark.parametrize(
    ("law", "last_step", "most"),
    [
        (ExponentialLaw(), 20_000, 0.022),
        (ExponentialLaw(), 30_000, 0.024),
        (GaussianProcess(), 20_000, 0.014),
        (GaussianProcess(), 30_000, 0.009),
    ],
    ids=["exponential-20k", "exponential-30k", "gp-20k", "gp-30k"],
)
def test_small_models_foretell_mixtures_of_a_large_one_that_nobody_ran(
    curves: LossCurves, shares: FloatArray, law: AnyEstimator, last_step: int, most: float
) -> None:
    measured, predicted, constant = nested_on_left_out_mixtures(curves, law, last_step=last_step)
    small = curves.model_parameters == PARAMETERS["70M"]
    raw = curves.take(small & (curves.tokens == last_step * STEP))
    goal = curves.take((curves.model_parameters == PARAMETERS["410M"]) & (curves.tokens == 30_000 * STEP))
    same = np.abs(raw.weights[:, None] - goal.weights).max(axis=2).argmin(axis=0)

    def error(losses: FloatArray) -> float:
        return float(np.abs((losses - measured) @ shares).mean())

    assert error(predicted) < most
    assert error(predicted) < 0.4 * error(constant)
    # The raw losses of a 70M model, which even saw these mixtures, are off by its whole shift of level.
    assert error(predicted) < 0.05 * error(raw.values[same])
    assert (spearman(measured @ shares, predicted @ shares) or 0.0) > 0.8
