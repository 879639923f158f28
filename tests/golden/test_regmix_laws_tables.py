"""What simpler methods reach on RegMix's 1M runs, and where the law of all targets puts its optimum.

The numbers compared with are of an independent solver. Test runs of 60M and 1B are not among the tables.
"""

from pathlib import Path

import numpy as np
import pytest

from mixlaws.arrays import FloatArray
from mixlaws.estimator import AnyEstimator, DifferentiablePredictor
from mixlaws.laws.bimix import BiMix
from mixlaws.laws.log_linear import LogLinearLaw
from mixlaws.problem import MixtureProblem
from mixlaws.proposers.convex import ConvexProposer
from mixlaws.regressors.lightgbm import LightGbm
from mixlaws.regressors.linear import Linear
from mixlaws.swarm import Swarm
from mixlaws.validation import score, spearman
from tests.reference_data import REGMIX_PRIOR, regmix

RNG = np.random.default_rng(0)


@pytest.fixture(scope="module")
def train(reference_data: Path) -> Swarm:
    return regmix(reference_data, "train")


@pytest.fixture(scope="module")
def held_out(reference_data: Path) -> Swarm:
    return regmix(reference_data, "test")


def ranks(swarm: Swarm, predicted: FloatArray) -> dict[str, float]:
    """Rank correlation x 100 of each target."""
    return {
        target: 100 * (spearman(swarm.values[:, t], predicted[:, t]) or 0.0)
        for t, target in enumerate(swarm.targets)
    }


LINEAR = {
    "arxiv": 73.71, "dm_mathematics": 76.28, "freelaw": 77.47, "github": 83.58, "gutenberg_pg_19": 89.00,
    "hackernews": 84.26, "pile_cc": 90.21, "pubmed_abstracts": 92.23, "pubmed_central": 82.52,
    "stackexchange": 81.63, "ubuntu_irc": 76.63, "uspto_backgrounds": 84.81, "wikipedia_en": 88.10,
}  # fmt: skip


def test_a_regression_as_published_with_an_intercept_and_rows_as_they_are_printed(
    reference_data: Path,
) -> None:
    train, held_out = (regmix(reference_data, part, renormalise=False) for part in ("train", "test"))
    rows, unseen = (np.column_stack([np.ones(len(s)), s.weights]) for s in (train, held_out))
    predicted = unseen @ np.linalg.lstsq(rows, train.values, rcond=None)[0]
    assert ranks(held_out, predicted) == pytest.approx(LINEAR, abs=0.01)
    assert np.mean(list(ranks(held_out, predicted).values())) == pytest.approx(83.11, abs=0.01)
    at = held_out.target_index("pile_cc")
    scores = score(held_out.values[:, at], predicted[:, at])
    assert (scores.mae, scores.r2) == pytest.approx((0.1243, 0.7717), abs=1e-4)


def test_a_regression_of_shares_that_sum_to_one(train: Swarm, held_out: Swarm) -> None:
    fitted = Linear().fit(train.only(["pile_cc"]), rng=RNG).predict(held_out.weights)
    assert ranks(held_out.only(["pile_cc"]), fitted)["pile_cc"] == pytest.approx(90.18, abs=0.01)


@pytest.fixture(scope="module")
def law(train: Swarm) -> DifferentiablePredictor:
    return LogLinearLaw().fit(train, rng=RNG)


def test_one_exponential_of_all_shares_and_a_power_of_the_own_one(
    train: Swarm, held_out: Swarm, law: DifferentiablePredictor
) -> None:
    found = ranks(held_out, law.predict(held_out.weights))
    known = {"pile_cc": 96.25, "arxiv": 97.81, "github": 97.71, "wikipedia_en": 96.72}
    assert {target: found[target] for target in known} == pytest.approx(known, abs=0.01)
    at = held_out.target_index("pile_cc")
    error = np.abs(law.predict(held_out.weights)[:, at] - held_out.values[:, at]).mean()
    assert error == pytest.approx(0.0709, abs=1e-4)
    own = {"pile_cc": 81.67, "arxiv": 96.02, "github": 90.86, "wikipedia_en": 87.31}
    served = BiMix().fit(train.only(sorted(own)), rng=RNG).predict(np.maximum(held_out.weights, 5e-4))
    assert ranks(held_out.only(sorted(own)), served) == pytest.approx(own, abs=0.02)


# Runs: rank correlation x 100 on Pile-CC of a regression and of the law, and the error of the law.
SUBSETS = {64: (87.24, 95.64, 0.0830), 128: (88.12, 95.77, 0.0745), 256: (89.61, 95.89, 0.0735)}


def on_subsets(estimator: AnyEstimator, train: Swarm, held_out: Swarm, count: int) -> tuple[float, float]:
    """Rank correlation x 100 and error on Pile-CC, means over two subsets of the training runs."""
    pile, unseen = train.only(["pile_cc"]), held_out.only(["pile_cc"])
    found = []
    for k in range(2):
        rows = np.random.default_rng(k).permutation(len(train))[:count]
        predicted = estimator.fit(pile.take(rows), rng=RNG).predict(unseen.weights)
        found.append((ranks(unseen, predicted)["pile_cc"], np.abs(predicted - unseen.values).mean()))
    rank, error = np.mean(found, axis=0)
    return float(rank), float(error)


@pytest.mark.parametrize("count", sorted(SUBSETS))
def test_few_runs_are_enough_for_a_law_and_not_for_a_regression(
    train: Swarm, held_out: Swarm, count: int
) -> None:
    line, rank, error = SUBSETS[count]
    assert on_subsets(Linear(), train, held_out, count)[0] == pytest.approx(line, abs=0.01)
    found = on_subsets(LogLinearLaw(), train, held_out, count)
    assert found == pytest.approx((rank, error), abs=0.01)
    assert found[1] == pytest.approx(error, abs=1e-4)


def test_trees_of_64_runs_with_small_leaves(train: Swarm, held_out: Swarm) -> None:
    rank, error = on_subsets(LightGbm(min_data_in_leaf=4), train, held_out, 64)
    assert rank == pytest.approx(93.95, abs=0.01)
    assert error == pytest.approx(0.0926, abs=1e-4)


# Strength of the pull: shares of the largest domains, mean loss, divergence from the prior.
OPTIMA = {
    0.0: ({
        "enron_emails": 0.249, "pubmed_abstracts": 0.141, "wikipedia_en": 0.109, "uspto_backgrounds": 0.108,
        "arxiv": 0.102, "stackexchange": 0.095,
    }, 4.554, 1.52),
    0.01: ({}, 4.560, 0.36),
    0.05: ({
        "pile_cc": 0.126, "wikipedia_en": 0.109, "uspto_backgrounds": 0.105, "stackexchange": 0.099,
        "pubmed_abstracts": 0.095, "github": 0.092, "arxiv": 0.080,
    }, 4.563, 0.22),
    0.5: ({"pile_cc": 0.210, "pubmed_central": 0.134}, 4.596, 0.036),
}  # fmt: skip


@pytest.mark.parametrize("kl", sorted(OPTIMA))
def test_a_weak_pull_takes_an_absurd_share_away_at_hardly_any_loss(
    law: DifferentiablePredictor, train: Swarm, kl: float
) -> None:
    total = sum(REGMIX_PRIOR.values())
    problem = MixtureProblem.create(train.domains, prior={n: w / total for n, w in REGMIX_PRIOR.items()})
    found = ConvexProposer(kl=kl, starts=1).propose(law, problem, count=1, rng=RNG)[0]
    shares, loss, divergence = OPTIMA[kl]
    named = train.domains.to_mapping(found.weights)
    assert {name: named[name] for name in shares} == pytest.approx(shares, abs=2e-3)
    assert found.objective == pytest.approx(loss, abs=1e-3)
    assert found.details["divergence"] == pytest.approx(divergence, abs=0.01)
    prior = problem.objective(law.predict(problem.prior[None, :])[0])
    assert prior == pytest.approx(4.646, abs=1e-3)
