"""Simulated runs that policies steer: their optimum and their trainer."""

import itertools
from dataclasses import replace

import numpy as np
import pytest

from mixlaws.domains import DomainSet
from mixlaws.errors import InvalidInputError
from mixlaws.feedback import Feedback, Signal
from mixlaws.learning_truth import LearningTruth
from mixlaws.live_environments import ENVIRONMENTS, suited
from mixlaws.live_simulation import LiveSimulation
from mixlaws.live_trainer import SEQUENCE, LiveTrainer, Pace
from mixlaws.policies.handwritten import Handwritten, PlannedStage
from mixlaws.policies.odm import Odm
from mixlaws.policy import Stage
from mixlaws.problem import MixtureProblem
from mixlaws.steering.guards import Guards

PACE = Pace(steps=2000)


def world(name: str, seed: int = 0, pace: Pace = PACE) -> LiveSimulation:
    return ENVIRONMENTS[name](np.random.default_rng(seed), pace)


def small(d: int, seed: int) -> LiveSimulation:
    """Few domains that learn from each other, some of them read many times."""
    rng = np.random.default_rng(seed)
    domains = DomainSet(
        tuple(f"domain-{i}" for i in range(d)),
        tuple(int(count) for count in PACE.tokens * np.exp(rng.uniform(-5, 1, d))),
    )
    truth = LearningTruth(
        floor=rng.uniform(1, 3, d), height=rng.uniform(2, 9, d), scale=np.exp(rng.uniform(12, 17, d)),
        exponent=rng.uniform(0.1, 0.6, d), transfer=np.eye(d) + rng.uniform(0, 0.3, (d, d)),
        unique=np.array(domains.tokens, dtype=float), budget=float(PACE.tokens),
    )  # fmt: skip
    return LiveSimulation(MixtureProblem.create(domains), truth, PACE)


@pytest.mark.parametrize(("d", "points", "seed"), [(2, 2000, 0), (2, 2000, 1), (3, 120, 2), (3, 120, 3)])
def test_no_mixture_of_a_fine_grid_is_better_than_the_optimum(d: int, points: int, seed: int) -> None:
    live = small(d, seed)
    grid = np.array([row for row in itertools.product(range(points + 1), repeat=d) if sum(row) == points])
    losses = live.truth.predict(grid / points).mean(axis=1)
    best = live.final_losses(live.optimum).mean()
    assert best <= losses.min() + 1e-5
    assert np.abs(live.optimum - grid[losses.argmin()] / points).max() <= 2 / points + 0.01


def test_derivatives_of_the_truth_are_those_of_its_losses() -> None:
    live = small(3, 4)
    weights, step = np.array([[0.2, 0.5, 0.3]]), 1e-6
    moved = [
        (live.truth.predict(weights + step * axis) - live.truth.predict(weights - step * axis))[0]
        / (2 * step)
        for axis in np.eye(3)
    ]
    assert live.truth.jacobian(weights)[0] == pytest.approx(np.array(moved).T, rel=1e-5)


def test_a_truth_in_which_reading_does_harm_is_refused() -> None:
    truth = small(2, 0).truth
    with pytest.raises(InvalidInputError, match="transfer"):
        replace(truth, transfer=-truth.transfer)


@pytest.mark.parametrize("environment", sorted(ENVIRONMENTS))
def test_no_policy_ends_below_the_best_fixed_mixture(environment: str) -> None:
    live = world(environment, 1)
    for name in ("doremi", "skillit", "unimax", "velocitune"):
        shares = live.play(suited(name, live).policy, rng=np.random.default_rng(0)).shares
        assert live.regret(shares) > -1e-5


@pytest.mark.parametrize("environment", sorted(ENVIRONMENTS))
def test_domains_read_one_after_the_other_end_where_their_mixture_does(environment: str) -> None:
    live = world(environment, 1)
    lengths = np.rint(live.optimum * PACE.steps).astype(int)
    names = live.problem.domains.names
    plan = [PlannedStage({names[i]: 1.0}, int(lengths[i])) for i in np.flatnonzero(lengths)]
    plan[-1] = replace(plan[-1], steps=None)
    played = live.play(Handwritten(tuple(plan)), rng=np.random.default_rng(0))
    assert live.regret(live.uniform) > 0.01 or environment == "alike"
    assert live.regret(played.shares) < 1e-4


def test_a_run_draws_the_exact_shares_of_the_stages_in_their_order() -> None:
    live = world("alike")
    names = live.problem.domains.names
    rows = np.random.default_rng(0).dirichlet(np.ones(len(names)), 3)
    stages = [dict(zip(names, row.tolist(), strict=True)) for row in rows]
    plan = tuple(map(PlannedStage, stages, (123, 456, None)))
    played = live.play(Handwritten(plan), rng=np.random.default_rng(0))
    lengths = [123, 456, PACE.steps - 579]
    assert np.repeat(played.weights, played.steps.astype(int), axis=0) == pytest.approx(
        np.repeat(rows, lengths, axis=0)
    )
    expected = np.array(lengths) @ rows / PACE.steps
    # A sequence for each domain may be left over at the end.
    assert played.shares == pytest.approx(expected, abs=len(names) * SEQUENCE / PACE.tokens)


def test_what_is_reported_has_an_effect_a_lead_later() -> None:
    live = world("noise", pace=replace(PACE, steps=200, report_every=5, lead=50))
    played = live.play(Odm(), rng=np.random.default_rng(0))
    weights = np.repeat(played.weights, played.steps.astype(int), axis=0)
    assert np.array_equal(weights[:55], np.tile(live.problem.prior, (55, 1)))
    assert weights[55] == pytest.approx(live.uniform)  # as any first update of this policy


def trained(name: str, signal: Signal) -> tuple[LiveSimulation, LiveTrainer, Feedback]:
    """The last of some feedbacks that a trainer with a signal makes of equal weights."""
    live = world(name)
    trainer = LiveTrainer(live.truth, live.reference, PACE, frozenset({signal}), np.random.default_rng(0))
    guards = Guards().bind(live.problem)
    for _ in range(20):
        trainer.report([Stage(live.uniform)], guards)
    return live, trainer, trainer.report([Stage(live.uniform)], guards)


def test_a_step_of_a_domain_lowers_losses_by_the_products_of_its_gradient() -> None:
    live, trainer, feedback = trained("transfer", Signal.GRAD_PRODUCTS)
    products = feedback.grad_products
    assert products is not None
    read = trainer.read
    part = 1e-3 * PACE.batch * SEQUENCE  # of a step: curves bend within a whole one
    for domain in range(len(read)):
        fall = live.truth.losses(read) - live.truth.losses(read + part * np.eye(len(read))[domain])
        assert 1e-3 * products.learning_rate * products.products[domain] == pytest.approx(fall, rel=1e-3)
    assert products.norms**2 == pytest.approx(np.diag(products.products))


def test_excess_is_clipped_token_by_token() -> None:
    _, _, feedback = trained("alike", Signal.EXCESS)
    assert feedback.excess is not None
    assert feedback.excess_clipped is not None
    tokens = np.random.default_rng(1).normal(size=(200_000, 1)) * PACE.spread + feedback.excess.means
    assert feedback.excess_clipped.means == pytest.approx(np.maximum(tokens, 0).mean(axis=0), rel=0.01)
