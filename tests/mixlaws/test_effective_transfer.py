"""Effective transfer: tokens of other domains at their worth, on runs and budgets that were not fitted."""

import json
from dataclasses import replace

import numpy as np
import pytest

from mixlaws.arrays import FloatArray
from mixlaws.domains import DomainSet
from mixlaws.errors import FitError, InvalidInputError, StateError, SwarmTooSmallError
from mixlaws.laws.effective_transfer import EffectiveTransfer, EffectiveTransferPredictor
from mixlaws.problem import MixtureProblem
from mixlaws.proposers.convex import ConvexProposer
from mixlaws.swarm import Swarm

NAMES = ("a", "b", "c")
DOMAINS = DomainSet(NAMES, (1, 1, 1))
TRUTH = EffectiveTransferPredictor(
    own=np.arange(3),
    parameters=np.array([
        [np.log(0.9), np.log(0.05), 0.8, 0.25, 1.2],
        [np.log(0.5), np.log(0.3), 0.6, 0.6, 0.8],
        [np.log(1.5), np.log(0.02), 1.0, 0.1, 0.3],
    ]),
    unit=1e6,
    tokens=1e6,
)  # fmt: skip


def perturbed(*, noise: float, rng: np.random.Generator) -> Swarm:
    """Each domain at five multiples of its base amount with the others fixed, and mixtures at two budgets."""
    base = np.full(3, 1e6 / 3)
    amounts = [base * np.where(np.arange(3) == j, m, 1.0) for j in range(3) for m in (0.5, 0.67, 1, 2, 3)]
    amounts += [budget * row for budget in (3e5, 3e6) for row in rng.dirichlet(np.ones(3), size=8)]
    tokens = np.array(amounts)
    values = TRUTH.predict_tokens(tokens)
    values = values + noise * rng.standard_normal(values.shape)
    budgets = tokens.sum(axis=1)
    return Swarm(DOMAINS, NAMES, tokens / budgets[:, None], values, tokens=budgets)


def error(fitted: EffectiveTransferPredictor, weights: FloatArray, budget: float) -> float:
    exact = TRUTH.at(tokens=budget).predict(weights)
    return float(np.abs(fitted.at(tokens=budget).predict(weights) - exact).mean())


@pytest.mark.parametrize(("noise", "tolerance"), [(0.0, 0.001), (0.005, 0.01)])
def test_unseen_mixtures_at_an_unseen_budget_are_predicted(
    noise: float, tolerance: float, rng: np.random.Generator
) -> None:
    fitted = EffectiveTransfer().fit(perturbed(noise=noise, rng=rng), rng=rng)
    elsewhere = rng.dirichlet(np.ones(3), size=100)
    for budget in (6e5, 1e7):
        assert error(fitted, elsewhere, budget) < tolerance


def test_a_domain_that_is_left_out_lives_off_the_others(rng: np.random.Generator) -> None:
    fitted = EffectiveTransfer().fit(perturbed(noise=0.0, rng=rng), rng=rng)
    without = np.array([[0.0, 0.5, 0.5], [0.5, 0.0, 0.5], [1.0, 0.0, 0.0]])
    assert np.all(np.isfinite(fitted.predict(without)))
    assert error(fitted, without[:2], 1e6) < 0.03


def test_a_domains_own_perturbations_alone_tell_less_than_all_runs(rng: np.random.Generator) -> None:
    swarm = perturbed(noise=0.003, rng=rng).take(range(15)).only(["a"])
    everything = EffectiveTransfer().fit(swarm, rng=rng)
    own_runs = EffectiveTransfer().fit(swarm.take(range(5)), rng=rng)
    elsewhere = rng.dirichlet(np.ones(3), size=200)
    exact = TRUTH.predict(elsewhere)[:, :1]
    errors = [np.abs(fit.at(tokens=1e6).predict(elsewhere) - exact).mean() for fit in (everything, own_runs)]
    assert errors[0] < errors[1]


def test_the_best_mixture_depends_on_the_budget_and_the_predictor_names_its_own(
    rng: np.random.Generator,
) -> None:
    fitted = EffectiveTransfer().fit(perturbed(noise=0.0, rng=rng), rng=rng)
    assert fitted.tokens == pytest.approx(3e6)
    problem = MixtureProblem.create(DOMAINS)
    small, large = (
        ConvexProposer(kl=0.0).propose(fitted.at(tokens=budget), problem, count=1, rng=rng)[0].weights
        for budget in (1e5, 1e8)
    )
    assert np.abs(small - large).sum() > 0.1


def test_one_budget_is_named_by_the_swarm_or_by_hand(rng: np.random.Generator) -> None:
    weights = rng.dirichlet(np.ones(3), size=25)
    told = Swarm(DOMAINS, NAMES, weights, TRUTH.predict(weights), tokens=np.full(25, 1e6))
    untold = replace(told, tokens=None)
    with pytest.raises(InvalidInputError, match=r"needs the tokens of every run.*name the budget"):
        EffectiveTransfer().fit(untold, rng=rng)
    elsewhere = rng.dirichlet(np.ones(3), size=50)
    by_hand = EffectiveTransfer(tokens=1e6).fit(untold, rng=rng)
    assert by_hand.predict(elsewhere) == pytest.approx(
        EffectiveTransfer().fit(told, rng=rng).predict(elsewhere)
    )
    assert error(by_hand, elsewhere, 1e6) < 0.002


def test_what_the_law_cannot_describe_is_refused_with_what_to_do(rng: np.random.Generator) -> None:
    swarm = perturbed(noise=0.0, rng=rng)
    with pytest.raises(SwarmTooSmallError, match="needs at least 5"):
        EffectiveTransfer().fit(swarm.take(range(4)), rng=rng)
    with pytest.raises(FitError, match="target 'b' is negative"):
        EffectiveTransfer().fit(replace(swarm, values=swarm.values * [1, -1, 1]), rng=rng)
    with pytest.raises(InvalidInputError, match="tokens of a run is 0"):
        EffectiveTransfer().fit(replace(swarm, tokens=np.zeros(len(swarm))), rng=rng)
    with pytest.raises(InvalidInputError, match="tokens is -1: use a finite"):
        EffectiveTransfer(tokens=-1.0)
    with pytest.raises(InvalidInputError, match="huber_delta is 0"):
        EffectiveTransfer(huber_delta=0)
    with pytest.raises(InvalidInputError, match="no model size"):
        TRUTH.at(model_parameters=1e6)
    with pytest.raises(StateError):
        EffectiveTransfer().load({"schema": 2, "law": "effective_transfer"})


def test_a_dump_keeps_values_and_slopes(rng: np.random.Generator) -> None:
    loaded = EffectiveTransfer().load(json.loads(json.dumps(TRUTH.at(tokens=2e6).dump())))
    weights, step = rng.dirichlet(np.ones(3), size=5), 1e-6
    assert np.array_equal(loaded.predict(weights), TRUTH.at(tokens=2e6).predict(weights))
    exact = loaded.jacobian(weights)
    for j in range(3):
        numeric = (loaded.predict(weights + step * np.eye(3)[j]) - loaded.predict(weights)) / step
        assert exact[:, :, j] == pytest.approx(numeric, rel=1e-3, abs=1e-5)
