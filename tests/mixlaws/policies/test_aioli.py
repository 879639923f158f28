"""Aioli on losses that move by a known linear law, with a trainer that follows its plans."""

import dataclasses

import numpy as np
import pytest

from benchmarks.reference_vectors.case import evaluated, problem
from mixlaws.errors import InvalidInputError
from mixlaws.feedback import Feedback
from mixlaws.policies.aioli import Aioli
from mixlaws.policies.aioli_state import AioliState

# Row: the loss; column: the domain that is trained. Not symmetric, so that a transposed solution shows.
EFFECTS = np.array([[0.30, 0.01, 0.02], [0.25, 0.05, 0.01], [0.20, 0.02, 0.04]]) / 100


def one_round(policy: Aioli, state: AioliState, losses: np.ndarray) -> tuple[AioliState, np.ndarray]:
    """Follow the plan of a round: losses fall by the effects of whatever is trained, step by step."""
    stages = policy.stages(state)
    first = len(stages) - 1 - len(state.order)
    for number, stage in enumerate(stages[:-1]):
        if number >= first:
            state = policy.update(state, evaluated(number, stage.weights, losses, stages_done=number))
        assert stage.steps is not None
        losses = losses - stage.steps * (EFFECTS @ stage.weights)
    last = len(stages) - 1
    return policy.update(state, evaluated(last, stages[-1].weights, losses, stages_done=last)), losses


@pytest.mark.parametrize("concentration", [1.0, 0.75, 0.5])
def test_a_round_of_probes_recovers_the_effects_that_losses_follow(concentration: float) -> None:
    policy = Aioli(concentration=concentration, sweeps=2, probe_steps=5)
    state = policy.init(problem(3))
    seen = []
    losses = np.array([5.0, 4.0, 3.0])
    for number, stage in enumerate(policy.stages(state)):
        state = policy.update(state, evaluated(number, stage.weights, losses, stages_done=number))
        if state.probed == len(state.order) - 1:
            seen.append(state)
        losses = losses - 5 * (EFFECTS @ stage.weights)
    effects = np.array(seen[-1].effects)
    final = seen[-1].order[-1]
    effects[:, final] += 5 * (EFFECTS @ policy.stages(seen[-1])[-2].weights) / 2
    assert policy.interactions(effects) == pytest.approx(5 * EFFECTS, abs=1e-12)


def test_the_domain_whose_training_lowers_all_losses_gets_most() -> None:
    policy = Aioli(ema=None, eta=0.5)
    state, losses = policy.init(problem(3)), np.array([5.0, 4.0, 3.0])
    for _ in range(4):
        state, losses = one_round(policy, state, losses)
    assert state.round == 4
    assert state.weights.argmax() == 0
    assert state.weights[0] > 0.6


def test_with_the_moving_average_no_ratio_of_weights_exceeds_the_step() -> None:
    policy = Aioli(ema=0.1, eta=0.2)
    state, losses = policy.init(problem(3)), np.array([5.0, 4.0, 3.0])
    for _ in range(6):
        state, losses = one_round(policy, state, losses)
        assert state.weights.max() / state.weights.min() <= np.exp(0.2)
    assert state.weights.argmax() == 0


def test_a_plan_is_a_main_stage_then_every_domain_in_each_sweep_then_a_hold() -> None:
    policy = Aioli(sweeps=2, probe_steps=3, round_steps=30, concentration=0.7)
    state = policy.init(problem(3))
    assert [stage.steps for stage in policy.stages(state)] == [3] * 6 + [None]
    state, _ = one_round(policy, state, np.array([5.0, 4.0, 3.0]))
    plan = policy.stages(state)
    assert [stage.steps for stage in plan] == [12, *[3] * 6, None]
    probes = np.array([stage.weights for stage in plan[1:-1]])
    assert probes.max(axis=1) == pytest.approx([0.7] * 6)
    for sweep in (probes[:3], probes[3:]):
        assert sorted(sweep.argmax(axis=1).tolist()) == [0, 1, 2]


def test_the_prior_comes_first_in_restricted_mode() -> None:
    policy = Aioli(prior_steps=50)
    start = problem(3, prior=[0.6, 0.3, 0.1])
    plan = policy.stages(policy.init(start))
    assert plan[0].steps == 50
    assert plan[0].weights == pytest.approx(start.prior)


@pytest.mark.parametrize("fault", ["missing", "partial", "another set"])
def test_a_round_with_an_evaluation_that_cannot_be_compared_teaches_nothing(fault: str) -> None:
    policy = Aioli(sweeps=1, concentration=0.7)
    state, losses = policy.init(problem(3)), np.array([5.0, 4.0, 3.0])
    count = len(policy.stages(state))
    for number in range(count):
        told = evaluated(number, state.weights, losses - 0.1 * number, stages_done=number)
        if number == 2:
            told = _faulty(told, fault)
        state = policy.update(state, told)
    assert state.round == 1
    assert state.weights == pytest.approx([1 / 3] * 3)
    assert not state.broken
    state, _ = one_round(policy, state, losses)
    assert state.weights.argmax() == 0, "the next round is read as ever"


def _faulty(told: Feedback, fault: str) -> Feedback:
    evaluation = told.evaluation
    assert evaluation is not None
    if fault == "missing":
        return dataclasses.replace(told, evaluation=None)
    if fault == "partial":
        return dataclasses.replace(
            told, evaluation=dataclasses.replace(evaluation, counts=np.array([1, 0, 1]))
        )
    return dataclasses.replace(told, evaluation=dataclasses.replace(evaluation, set_hash="other"))


def test_equal_effects_leave_the_prior_where_it_is_asked_for_as_base() -> None:
    policy = Aioli(base="prior", sweeps=1, concentration=0.7)
    start = problem(3, prior=[0.6, 0.3, 0.1])
    state = policy.init(start)
    for number in range(len(policy.stages(state))):
        losses = np.full(3, 4.0 - 0.01 * number)
        state = policy.update(state, evaluated(number, state.weights, losses, stages_done=number))
    assert state.round == 1
    assert state.weights == pytest.approx(start.prior)


def test_orders_of_probes_follow_the_seed() -> None:
    orders = [Aioli(seed=seed).init(problem(6)).order for seed in (0, 0, 1)]
    assert orders[0] == orders[1] != orders[2]


def test_what_does_not_fit_the_number_of_domains_is_refused() -> None:
    with pytest.raises(InvalidInputError, match=r"must exceed 0\.25"):
        Aioli(concentration=0.25).init(problem(4))
    with pytest.raises(InvalidInputError, match="probes of 4 domains take 64"):
        Aioli(round_steps=64).init(problem(4))
    with pytest.raises(InvalidInputError, match="101 domains"):
        Aioli().init(problem(101))
