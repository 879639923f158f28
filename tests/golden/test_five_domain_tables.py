"""The five-domain runs of Data Mixing Laws at step 30,000: 26 mixtures, each predicted by fits to the others.

The numbers compared with are of an independent solver: the published settings, without a ridge.
"""

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from mixlaws.estimator import AnyEstimator
from mixlaws.laws.exponential import ExponentialLaw
from mixlaws.laws.log_linear import LogLinearLaw
from mixlaws.regressors.constant import Constant
from mixlaws.regressors.lightgbm import LightGbm
from mixlaws.regressors.linear import Linear
from mixlaws.swarm import Swarm
from mixlaws.validation import cross_validate
from tests.reference_data import five_mix, five_mix_shares

RNG = np.random.default_rng(0)


def overall(folder: Path, swarm: Swarm) -> Swarm:
    """The runs with the overall loss alone."""
    total = swarm.values @ swarm.coefficients(five_mix_shares(folder))
    return replace(swarm, targets=("overall",), values=total[:, None])


# Size: deviation of the loss, error of a constant, then for laws of five groups, one law, and a regression:
# error of the fit to all runs; error and R² left out.
KNOWN = {
    "70M": (0.0781, 0.0652, (0.0114, 0.0248, 0.775), (0.0202, 0.0319, 0.676), (0.0572, 0.177)),
    "160M": (0.0698, 0.0584, (0.0108, 0.0235, 0.712), (0.0178, 0.0291, 0.684), (0.0551, 0.075)),
    "305M": (0.0691, 0.0582, (0.0097, 0.0219, 0.750), (0.0200, 0.0321, 0.630), (0.0553, 0.018)),
    "410M": (0.0682, 0.0580, (0.0092, 0.0215, 0.737), (0.0197, 0.0300, 0.680), (0.0559, 0.002)),
}


@pytest.mark.parametrize("size", sorted(KNOWN))
def test_laws_of_groups_one_law_and_a_regression_at_every_size(reference_data: Path, size: str) -> None:
    swarm = five_mix(reference_data, size=size, step=30_000)
    shares = swarm.coefficients(five_mix_shares(reference_data))
    whole = overall(reference_data, swarm)
    deviation, constant, groups, one, line = KNOWN[size]
    assert whole.values.std() == pytest.approx(deviation, abs=1e-4)
    assert cross_validate(Constant(), whole, rng=RNG).scores()[0].mae == pytest.approx(constant, abs=1e-4)
    law = LogLinearLaw()
    for runs, (seen, mae, r2) in ((swarm, groups), (whole, one)):
        weighted = shares if runs is swarm else np.ones(1)
        error = (law.fit(runs, rng=RNG).predict(runs.weights) - runs.values) @ weighted
        assert np.abs(error).mean() == pytest.approx(seen, abs=2e-4)
        scores = cross_validate(law, runs, rng=RNG).objective_scores(weighted)
        assert (scores.mae, scores.r2) == pytest.approx((mae, r2), abs=2e-3)
    scores = cross_validate(Linear(), whole, rng=RNG).scores()[0]
    assert (scores.mae, scores.r2) == pytest.approx(line, abs=1e-3)


def test_the_fit_to_all_mixtures_is_off_by_what_two_solvers_found(reference_data: Path) -> None:
    swarm = five_mix(reference_data, size="70M", step=30_000)
    law = ExponentialLaw(ridge=0.0, huber_delta=0.05, raw_residuals=True)
    error = law.fit(swarm, rng=RNG).predict(swarm.weights) - swarm.values
    shares = swarm.coefficients(five_mix_shares(reference_data))
    assert np.abs(error @ shares).mean() == pytest.approx(0.01160, abs=1e-5)


# Groups in the order academic, prose, dialogue, symbolic, internet.
@pytest.mark.parametrize(
    ("size", "law", "known"),
    [
        ("70M", LogLinearLaw(), [
            (0.0580, 0.879), (0.0155, 0.952), (0.0309, 0.958), (0.0196, 0.992), (0.0177, 0.923),
        ]),
        ("160M", LogLinearLaw(), [
            (0.0528, 0.856), (0.0152, 0.955), (0.0339, 0.941), (0.0220, 0.989), (0.0195, 0.894),
        ]),
        ("70M", Linear(), [
            (0.1541, 0.580), (0.0244, 0.872), (0.0736, 0.779), (0.1633, 0.548), (0.0336, 0.753),
        ]),
    ],
)  # fmt: skip
def test_every_group_is_predicted_as_well_as_was_measured(
    reference_data: Path, size: str, law: AnyEstimator, known: list[tuple[float, float]]
) -> None:
    order = ["academic", "prose", "dialogue", "symbolic", "internet"]
    swarm = five_mix(reference_data, size=size, step=30_000).only(order)
    for scores, told in zip(cross_validate(law, swarm, rng=RNG).scores(), known, strict=True):
        assert (scores.mae, scores.r2) == pytest.approx(told, abs=1e-3)


@pytest.mark.parametrize(
    ("size", "known"),
    [
        ("70M", (0.0186, 0.882, 0.84)), ("160M", (0.0165, 0.871, 0.76)),
        ("305M", (0.0192, 0.850, 0.76)), ("410M", (0.0195, 0.835, 0.75)),
    ],
)  # fmt: skip
def test_trees_of_three_runs_a_leaf_and_the_constant_that_twenty_a_leaf_are(
    reference_data: Path, size: str, known: tuple[float, float, float]
) -> None:
    whole = overall(reference_data, five_mix(reference_data, size=size, step=30_000))
    scores = cross_validate(LightGbm(min_data_in_leaf=3), whole, rng=RNG).scores()[0]
    assert (scores.mae, scores.r2, scores.spearman) == pytest.approx(known, abs=5e-3)
    assert scores.mae == pytest.approx(known[0], abs=1e-4)
    constant = LightGbm(min_data_in_leaf=20, rounds=5).fit(whole).predict(whole.weights)
    assert constant == pytest.approx(np.full((26, 1), whole.values.mean()))
