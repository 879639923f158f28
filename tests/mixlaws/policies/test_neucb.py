"""The contextual bandit: its regressions are exact, it follows what falls and not what is high."""

import json

import numpy as np
import pytest

from benchmarks.reference_vectors.case import problem, told
from mixlaws.domains import DomainSet
from mixlaws.errors import InvalidInputError
from mixlaws.feedback import Evaluation, Feedback, Signal
from mixlaws.learning_truth import LearningTruth
from mixlaws.live_environments import ENVIRONMENTS, NOISE, suited
from mixlaws.live_simulation import LiveSimulation
from mixlaws.live_trainer import Pace
from mixlaws.policies.neucb import Neucb
from mixlaws.policies.neucb_regression import Rewards
from mixlaws.problem import MixtureProblem

PACE = Pace(steps=2000)
TOKENS = 10**6  # of a report


def test_sums_kept_online_give_the_regression_of_all_rewards_at_once() -> None:
    rng, kept, ridge = np.random.default_rng(0), 0.9, 0.7
    contexts, rewards = rng.standard_normal((40, 3, 5)), rng.standard_normal((40, 3))
    given = rng.random((40, 3)) < 0.6
    sums = Rewards.none(3, 5)
    for row in range(40):
        sums = sums.told(contexts[row], np.where(given[row], rewards[row], np.nan), given[row], kept)
    sums = Rewards.load(json.loads(json.dumps(sums.dump())), 5)
    systems = []
    for i in range(3):
        x, y = contexts[given[:, i], i], rewards[given[:, i], i]
        counted = kept ** np.arange(len(y))[::-1]
        systems.append(((x.T * counted) @ x, (x.T * counted) @ y))
    common = np.linalg.solve(sum(a for a, _ in systems) + ridge * np.eye(5), sum(b for _, b in systems))
    now = rng.standard_normal((3, 5))
    wanted = [
        now[i] @ np.linalg.solve(a + ridge * np.eye(5), b + ridge * common)
        for i, (a, b) in enumerate(systems)
    ]
    assert sums.expected(now, ridge)[0] == pytest.approx(wanted)


def test_a_standard_error_covers_the_truth_and_falls_with_rewards() -> None:
    rng, covered, errors = np.random.default_rng(1), [], []
    for _ in range(200):
        sums, theta, early = Rewards.none(2, 5), rng.standard_normal((2, 5)), np.zeros(2)
        for number in range(60):
            x = rng.standard_normal((2, 5))
            sums = sums.told(
                x, np.sum(theta * x, axis=1) + 0.3 * rng.standard_normal(2), np.full(2, True), 1.0
            )
            if number == 14:
                _, early = sums.expected(np.ones((2, 5)), 1e-3)
        expected, error = sums.expected(np.ones((2, 5)), 1e-3)
        covered.append(np.abs(expected - theta.sum(axis=1)) <= 2 * error)
        errors.append(error < early)
    assert 0.85 < np.mean(covered) < 0.99
    assert np.mean(errors) > 0.95


@pytest.mark.parametrize("seed", range(40, 43))
def test_noise_of_a_high_loss_gets_little_where_odm_gives_it_most(seed: int) -> None:
    live = ENVIRONMENTS[NOISE](np.random.default_rng(seed), PACE)
    at = live.problem.domains.index(NOISE)
    bandit, odm = (
        live.play(suited(name, live).policy, rng=np.random.default_rng(seed)) for name in ("neucb", "odm")
    )
    assert bandit.shares[at] < 0.5 * live.problem.prior[at]
    assert bandit.weights[-1, at] < 0.5 * live.problem.prior[at]
    assert odm.weights[-1, at] > 4 * live.problem.prior[at]
    assert live.regret(bandit.shares) < 0.2 * live.regret(odm.shares)


def useful(at: int, seed: int) -> LiveSimulation:
    """Five domains of which one has nearly all that can be learnt, with a prior of .05."""
    rng = np.random.default_rng(seed)
    shares = np.insert(rng.dirichlet(np.full(4, 5.0)) * 0.95, at, 0.05)
    domains = DomainSet(
        tuple(f"domain-{index}" for index in range(5)),
        tuple(int(count) for count in 100 * shares * PACE.tokens),
    )
    truth = LearningTruth(
        floor=rng.uniform(1, 4, 5), height=np.where(np.arange(5) == at, 8.0, 0.05),
        scale=np.full(5, 3e6), exponent=np.full(5, 0.4), transfer=np.eye(5),
        unique=np.array(domains.tokens, dtype=float), budget=float(PACE.tokens),
    )  # fmt: skip
    return LiveSimulation(MixtureProblem.create(domains), truth, PACE)


@pytest.mark.parametrize("at", range(5))
def test_it_moves_to_the_one_domain_that_is_clearly_useful(at: int) -> None:
    live = useful(at, at)
    played = live.play(Neucb(), rng=np.random.default_rng(at))
    assert live.optimum.argmax() == at
    assert played.shares.argmax() == at
    assert played.shares[at] > 6 * live.problem.prior[at]
    assert live.regret(played.shares) < 0.3 * live.regret(live.problem.prior)


def falling(step: int, weights: np.ndarray, training: np.ndarray, held_out: np.ndarray) -> Feedback:
    counts = np.full(len(weights), TOKENS)
    evaluation = Evaluation(held_out * counts, counts, step, "held-out")
    return told(step, weights, training, counts, evaluation=evaluation)


def test_what_is_learnt_by_heart_attracts_by_training_losses_and_not_by_held_out_ones() -> None:
    shares = {}
    for held_out in (False, True):
        policy = Neucb(held_out=held_out)
        state = policy.init(problem(2))
        for step in range(1, 40):
            training = np.array([4 - 0.8 * np.log(step), 4 - 0.4 * np.log(step)])
            state = policy.update(state, falling(step, state.weights, training, np.array([4.0, training[1]])))
        shares[held_out] = state.weights[0]
    assert shares[False] > 0.6
    assert shares[True] < 0.2
    assert Neucb(held_out=True).signals == {Signal.LOSSES, Signal.EVALUATIONS}


def test_losses_on_another_evaluation_set_are_no_fall() -> None:
    policy = Neucb(held_out=True)
    state = policy.init(problem(2))
    for step in range(1, 30):
        losses = np.array([4.0, 4.0]) - 0.3 * np.log(step)
        state = policy.update(state, falling(step, state.weights, losses, losses))
    before = state.rewards.count.sum()
    counts = np.full(2, 10 * TOKENS)
    other = Evaluation(np.array([1.0, 9.0]) * counts, counts, 30, "other")
    state = policy.update(state, told(30, state.weights, np.full(2, 3.0), counts, evaluation=other))
    assert state.rewards.count.sum() == before
    assert state.weights == pytest.approx([0.5, 0.5])


@pytest.mark.parametrize("trust", [0.05, 0.5, 2.0])
def test_weights_stay_as_near_to_the_prior_as_is_asked(trust: float) -> None:
    prior = np.array([0.7, 0.2, 0.09, 0.01])
    policy = Neucb(trust=trust)
    state = policy.init(problem(4, prior=prior.tolist()))
    reached = []
    for step in range(1, 60):
        losses = 5 - np.array([0.0, 0.1, 0.2, 1.0]) * np.log(step)
        state = policy.update(state, falling(step, state.weights, losses, losses))
        reached.append(float(state.weights @ np.log(state.weights / prior)))
    assert max(reached) <= trust * 1.0001 + 1e-9
    assert max(reached) > 0.5 * min(trust, 1.0)


def test_a_domain_that_was_drawn_late_is_hoped_to_be_as_good_as_the_best() -> None:
    policy = Neucb(trust=None)
    state = policy.init(problem(3))
    for step in range(1, 30):
        counts = np.array([TOKENS, TOKENS, 0])
        losses = np.array([5 - 0.8 * np.log(step), 5 - 0.1 * np.log(step), np.nan])
        state = policy.update(state, told(step, state.weights, losses, counts))
    assert state.weights[2] == pytest.approx(state.weights[0])
    assert state.weights[1] < 0.5 * state.weights[0]


def test_a_domain_that_the_prior_leaves_out_is_no_measure_of_the_others() -> None:
    policy = Neucb(trust=None, temperature=1e-3)
    state = policy.init(problem(3, prior=[0.0, 0.5, 0.5]))
    for step in range(1, 30):
        losses = np.array([9 - 2 * np.log(step), 4 - 0.2 * np.log(step), 4 + 0.1 * step])
        state = policy.update(state, told(step, state.weights, losses, np.full(3, TOKENS)))
    assert state.weights == pytest.approx([0.0, 1.0, 0.0])


@pytest.mark.parametrize(
    "wrong",
    [
        {"ridge": 1e-300},
        {"growth": 0.0},
        {"memory": 0.0},
        {"least": 2.0},
        {"optimism": -1.0},
        {"trust": np.nan},
    ],
)
def test_nonsense_is_refused(wrong: dict[str, float]) -> None:
    with pytest.raises(InvalidInputError, match=next(iter(wrong))):
        Neucb(**wrong)  # type: ignore[arg-type]
