"""Policies of held-out losses: Skill-It and Velocitune."""

import dataclasses

import numpy as np
import pytest

from benchmarks.reference_vectors.case import evaluated, problem, untrained
from mixlaws.errors import InvalidInputError, MissingDomainError, UnknownDomainError
from mixlaws.feedback import Feedback
from mixlaws.policies.skillit import SkillIt
from mixlaws.policies.velocitune import Velocitune

NAMES = problem(3).domains.names


def loss(step: int, *losses: float) -> Feedback:
    return evaluated(step, np.full(3, 1 / 3), np.array(losses))


def velocitune(target: float = 1.0, **more: object) -> Velocitune:
    return Velocitune(target_losses=dict.fromkeys(NAMES, target), **more)  # type: ignore[arg-type]


def test_skillit_gives_to_the_domain_whose_training_helps_the_worst_loss() -> None:
    # Training the first one helps the second, whose loss is the largest; not the other way round.
    policy = SkillIt(update_every=10, graph={NAMES[0]: {NAMES[1]: 0.9}, NAMES[2]: {NAMES[2]: 0.1}})
    state = policy.init(problem(3))
    state = policy.update(state, loss(10, 1.0, 5.0, 1.0))
    assert state.weights.argmax() == 0
    assert state.weights[1] < state.weights[2]


def test_skillit_starts_every_update_from_equal_weights() -> None:
    policy = SkillIt(update_every=10, window=3)
    state = policy.init(problem(3))
    mixtures = []
    for step in range(10, 100, 10):
        state = policy.update(state, loss(step, 3.0, 2.0, 1.0))
        mixtures.append(state.weights)
    # The window sums: it fills up over the first three updates, and nothing grows after that.
    ratios = [float(np.log(weights[0] / weights[1])) for weights in mixtures]
    assert ratios == pytest.approx([0.2, 0.4, *[0.6] * 7])


def test_skillit_averages_its_window_over_targets_alone() -> None:
    policy = SkillIt(update_every=10, targets=(NAMES[0], NAMES[1]))
    state = policy.init(problem(3))
    for step in range(10, 60, 10):
        state = policy.update(state, loss(step, 3.0, 2.0, 9.0))
    assert np.log(state.weights[0] / state.weights[1]) == pytest.approx(0.2)
    assert state.weights[2] < state.weights[1]


def test_skillit_with_equal_losses_is_uniform_and_a_shift_of_all_changes_nothing() -> None:
    policy = SkillIt(update_every=10)
    start = policy.init(problem(3, prior=[0.6, 0.3, 0.1]))
    assert policy.update(start, loss(10, 4.0, 4.0, 4.0)).weights == pytest.approx([1 / 3] * 3)
    low, high = (policy.update(start, loss(10, 3.0 + c, 2.0 + c, 1.0 + c)).weights for c in (0.0, 700.0))
    assert high == pytest.approx(low)


def test_skillit_normalised_asks_how_far_losses_are_from_their_start() -> None:
    policy = SkillIt(update_every=10, window=1, normalised=True)
    state = policy.init(problem(3))
    state = policy.update(state, loss(10, 8.0, 4.0, 2.0))
    assert state.weights == pytest.approx([1 / 3] * 3)
    state = policy.update(state, loss(20, 4.0, 3.0, 2.0))
    assert state.weights[2] > state.weights[1] > state.weights[0]


def test_skillit_leaves_losses_of_another_evaluation_set_out_of_its_window() -> None:
    policy = SkillIt(update_every=10)
    state = policy.update(policy.init(problem(3)), loss(10, 3.0, 2.0, 1.0))
    other = loss(20, 1.0, 1.0, 1.0)
    assert other.evaluation is not None
    other = dataclasses.replace(other, evaluation=dataclasses.replace(other.evaluation, set_hash="other"))
    assert policy.update(state, other).weights == pytest.approx([1 / 3] * 3)


def test_skillit_keeps_the_last_loss_of_a_domain_that_an_evaluation_leaves_out() -> None:
    policy = SkillIt(update_every=10, window=1)
    first = policy.update(policy.init(problem(3)), loss(10, 3.0, np.nan, 1.0))
    assert np.log(first.weights[0] / first.weights[1]) == pytest.approx(0.2), "the mean of the others, 2"
    second = policy.update(first, loss(20, np.nan, 2.5, 1.0))
    assert np.log(second.weights[0] / second.weights[1]) == pytest.approx(0.1)


def test_skillit_refuses_a_graph_of_unknown_domains() -> None:
    with pytest.raises(UnknownDomainError, match="skill-9"):
        SkillIt(graph={"skill-9": {}}).init(problem(3))


def test_velocitune_gives_to_what_has_learnt_the_smaller_part() -> None:
    policy = velocitune()
    state = policy.update(policy.init(problem(3)), loss(100, 3.0, 3.0, 3.0))
    assert state.weights == pytest.approx([1 / 3] * 3), "the first evaluation is the start"
    state = policy.update(state, loss(200, 3.0, 2.0, 1.0))
    assert state.velocities == pytest.approx([1.0, 0.5, 0.0])
    assert np.log(state.weights[0] / state.weights[2]) == pytest.approx(1.0)


def test_velocitune_holds_velocities_within_0_and_1_and_divides_by_nothing_that_is_not_positive() -> None:
    policy = velocitune(initial_losses=dict(zip(NAMES, (3.0, 1.0, 0.5), strict=True)))
    state = policy.update(policy.init(problem(3)), loss(1, 9.0, 2.0, 0.1))
    assert state.velocities.tolist() == [1.0, 0.0, 0.0]
    assert np.all(np.isfinite(state.weights))


def test_velocitune_keeps_the_last_velocity_of_a_domain_that_an_evaluation_leaves_out() -> None:
    policy = velocitune(initial_losses=dict.fromkeys(NAMES, 3.0))
    state = policy.update(policy.init(problem(3)), loss(1, 2.0, 2.0, np.nan))
    assert state.velocities.tolist() == [0.5, 0.5, 1.0]
    assert policy.update(state, loss(2, np.nan, 1.0, 2.0)).velocities.tolist() == [0.5, 0.0, 0.5]


def test_velocitune_updates_no_more_often_than_told() -> None:
    policy = velocitune(update_every=100)
    state = policy.init(problem(3))
    moved = []
    for step in range(10, 410, 10):
        before, state = state, policy.update(state, loss(step, 3.0, 2.0, 1.0))
        moved.append(step) if state is not before else None
    assert moved == [10, 110, 210, 310]
    assert policy.update(state, untrained(500, state.weights)) is state


def test_velocitune_equal_velocities_leave_the_prior() -> None:
    policy = velocitune(initial_losses=dict.fromkeys(NAMES, 3.0))
    start = problem(3, prior=[0.6, 0.4, 0.0])
    state = policy.init(start)
    for step in range(1, 2000):
        state = policy.update(state, loss(step, 2.0, 2.0, 2.0))
    assert state.weights == pytest.approx(start.prior)


def test_velocitune_needs_a_target_for_every_domain() -> None:
    with pytest.raises(InvalidInputError, match="needs target_losses"):
        Velocitune().init(problem(3))
    with pytest.raises(MissingDomainError):
        Velocitune(target_losses={NAMES[0]: 1.0}).init(problem(3))
