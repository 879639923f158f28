"""TiKMiX: its mixture is the optimum, no target is worse for it, and interactions are learnt if there are."""

import json

import numpy as np
import pytest
from scipy.optimize import linprog

from benchmarks.reference_vectors.case import problem, untrained
from mixlaws.errors import InvalidInputError
from mixlaws.feedback import Feedback
from mixlaws.live_environments import ENVIRONMENTS, suited
from mixlaws.live_trainer import Pace
from mixlaws.measurements import Influence
from mixlaws.policies.tikmix_d import TikmixD
from mixlaws.policies.tikmix_m import TikmixM
from mixlaws.policies.tikmix_regression import Interactions, learnt
from mixlaws.policies.tikmix_solver import Strengths, best_mixture, scale
from mixlaws.policy import AnyPolicy
from mixlaws.regressors.lightgbm import LightGbm
from mixlaws.swarm import Swarm

TARGETS = ("code", "exams", "proofs")


def told(step: int, weights: np.ndarray, influence: np.ndarray, method: str = "ekfac") -> Feedback:
    targets = tuple(f"target-{index:03}" for index in range(influence.shape[1]))
    return untrained(step, weights, influence=Influence(influence, targets, method, 1000))


def drawn(seed: int) -> tuple[np.ndarray, np.ndarray]:
    """Influences (d, t) and a mixture in force; targets that oppose each other, or that few domains move."""
    rng = np.random.default_rng(seed)
    d, t = int(rng.integers(2, 30)), int(rng.integers(1, 12))
    influence = rng.standard_normal((d, t)) * (rng.random((d, t)) < [1.0, 0.3][seed % 2])
    if seed % 3 == 2:
        influence[:, -1] = -influence[:, 0]
    return influence / scale(influence), rng.dirichlet(np.ones(d))


@pytest.mark.parametrize("seed", range(24))
def test_no_mixture_that_leaves_all_targets_as_good_is_better(seed: int) -> None:
    gains, now = drawn(seed)
    strengths = Strengths()
    weights = best_mixture(gains, now, strengths)
    d, reached, least = len(now), weights @ gains, now @ gains
    assert abs(weights.sum() - 1) <= 1e-12
    assert np.all(reached >= least - 2e-9)
    assert strengths.value(reached, weights) >= strengths.value(least, now)
    # The objective is concave: what it can rise by is at most what its linear part rises by.
    spread = gains - gains.mean(axis=1, keepdims=True)
    slope = gains.mean(axis=1) - 2 * spread @ (spread.T @ weights) / gains.shape[1]
    slope -= (np.log(weights) + 1) / np.log(d)
    highest = linprog(-slope, A_ub=-gains.T, b_ub=-least, A_eq=np.ones((1, d)), b_eq=[1.0])
    assert highest.x is not None
    assert slope @ (highest.x - weights) <= 1e-6


def test_without_a_condition_that_binds_one_target_gives_a_softmax() -> None:
    influence, now = np.array([[0.5], [1.0], [-0.2], [0.1]]), np.full(4, 0.25)
    weights = best_mixture(influence, now, Strengths(gain=2.0, entropy=0.5))
    powers = np.exp(2.0 * influence[:, 0] * np.log(4) / 0.5)
    assert weights == pytest.approx(powers / powers.sum(), abs=1e-9)


def test_a_target_that_the_largest_gain_would_cost_something_keeps_what_it_has() -> None:
    influence = np.array([[1.0, -1.0], [0.1, 0.2], [-0.2, 0.1]])
    now = np.array([0.2, 0.4, 0.4])
    free = best_mixture(influence, now, Strengths(uniformity=0.0, gain=9.0), allowance=np.array([0.0, 9.0]))
    held = best_mixture(influence, now, Strengths(uniformity=0.0, gain=9.0))
    assert (free @ influence)[0] > (held @ influence)[0]
    assert (held @ influence)[1] >= (now @ influence)[1] - 2e-9
    assert (held @ influence)[0] >= (now @ influence)[0]


def test_where_nothing_else_leaves_all_targets_as_good_the_mixture_stays() -> None:
    influence = np.array([[1.0, -1.0], [-0.5, 0.5]])
    now = np.array([0.3, 0.7])
    assert best_mixture(influence, now, Strengths()) == pytest.approx(now, abs=1e-8)
    corner = np.array([1.0, 0.0, 0.0])
    assert best_mixture(np.eye(3), corner, Strengths()) == pytest.approx(corner, abs=1e-8)


def test_uniformity_narrows_what_targets_gain() -> None:
    rng = np.random.default_rng(3)
    influence, now = rng.uniform(0, 1, (8, 3)), np.full(8, 1 / 8)
    spreads = [(best_mixture(influence, now, Strengths(u)) @ influence).var() for u in (0.0, 10.0, 1000.0)]
    assert spreads[0] > spreads[1] > spreads[2]


def test_the_unit_of_a_target_does_not_matter() -> None:
    rng = np.random.default_rng(0)
    influence, policy = rng.standard_normal((6, 3)), TikmixD()
    start = policy.init(problem(6))
    mixtures = [
        policy.update(start, told(1, start.weights, influence * unit)).weights
        for unit in (1.0, np.array([1e-9, 1.0, 1e9]))
    ]
    assert mixtures[0] == pytest.approx(mixtures[1], abs=1e-5)  # tables are kept in single precision
    assert np.abs(mixtures[0] - start.weights).max() > 0.05


def test_domains_are_measured_one_after_the_other_and_another_method_begins_anew() -> None:
    rng = np.random.default_rng(1)
    influence, policy = rng.standard_normal((4, 3)), TikmixD()
    start = policy.init(problem(4))
    whole = policy.update(start, told(1, start.weights, influence))
    state = start
    for row in range(4):
        part = np.where(np.arange(4)[:, None] == row, influence, np.nan)
        state = policy.update(state, told(row + 1, start.weights, part))
    assert np.array_equal(state.weights, whole.weights)
    lone = np.where(np.arange(4)[:, None] == 0, influence, np.nan)
    other = policy.update(whole, told(5, start.weights, lone, method="first-order"))
    assert other.weights == pytest.approx(np.full(4, 0.25), abs=1e-6), "one domain alone is like no other"


@pytest.mark.parametrize("name", ["tikmix_d", "tikmix_m"])
@pytest.mark.parametrize("seed", [20, 21, 22])
def test_influence_finds_the_domain_that_teaches_all_others(name: str, seed: int) -> None:
    live = ENVIRONMENTS["transfer"](np.random.default_rng(seed), Pace(steps=1500))
    shares = live.play(suited(name, live).policy, rng=np.random.default_rng(seed)).shares
    assert shares.argmax() == 0
    assert live.regret(shares) < 0.8 * min(live.regret(live.problem.prior), live.regret(live.uniform))


def redundant(seed: int, strength: float) -> Interactions:
    """Eight domains that make each other worth less, the more alike they are."""
    rng = np.random.default_rng(seed)
    worth, likeness = rng.uniform(0.2, 1, (8, 3)), rng.standard_normal((8, 3))
    likeness /= np.linalg.norm(likeness, axis=1, keepdims=True)
    return Interactions(worth, -strength * np.einsum("ij,im->jim", (likeness @ likeness.T) ** 2, worth))


def sampled(seed: int) -> np.ndarray:
    """(16, d) mixtures around the last one."""
    rng = np.random.default_rng([seed, 1])
    last = rng.dirichlet(np.full(8, 3.0))
    return np.vstack([rng.dirichlet(30 * last + 0.3, 15), last])


def measured(truth: Interactions, mixtures: np.ndarray) -> np.ndarray:
    """(k, d, t) influence under mixtures in force, with noise."""
    noise = 0.01 * np.random.default_rng(5).standard_normal((len(mixtures), 8, 3))
    return np.array([truth.influence(row) for row in mixtures]) + noise


def proposed(policy: TikmixD | TikmixM, truth: Interactions, mixtures: np.ndarray) -> np.ndarray:
    """(d,) the mixture after a measurement under each of some mixtures; states travel as JSON."""
    driver: AnyPolicy = policy
    state = driver.init(problem(8, prior=mixtures[-1].tolist()))
    for number, (weights, table) in enumerate(zip(mixtures, measured(truth, mixtures), strict=True), 1):
        state = driver.update(state, told(1000 * number, weights, table))
        state = driver.load(json.loads(json.dumps(driver.dump(state))))
    return np.asarray(driver.stages(state)[0].weights)


@pytest.mark.parametrize("seed", range(20, 24))
def test_without_interactions_the_regression_leaves_the_additive_solution(seed: int) -> None:
    truth, mixtures = redundant(seed, 0.0), sampled(seed)
    assert np.array_equal(proposed(TikmixM(), truth, mixtures), proposed(TikmixD(), truth, mixtures))


@pytest.mark.parametrize("seed", range(20, 26))
def test_with_interactions_the_regression_finds_what_sums_do_not(seed: int) -> None:
    truth, mixtures = redundant(seed, 3.0), sampled(seed)
    unit = scale(truth.influence(mixtures[-1]))
    additive, learning = (
        Strengths().value(truth.gains(weights) / unit, weights)
        for weights in (proposed(policy, truth, mixtures) for policy in (TikmixD(), TikmixM()))
    )
    now = Strengths().value(truth.gains(mixtures[-1]) / unit, mixtures[-1])
    assert learning > max(additive, now)


@pytest.mark.parametrize("seed", range(20, 24))
def test_interactions_foretell_mixtures_never_measured_better_than_sums_and_trees(seed: int) -> None:
    truth, mixtures = redundant(seed, 3.0), sampled(seed)
    tables = measured(truth, mixtures)
    model = learnt(mixtures, np.arange(1e3, 17e3, 1e3), tables)
    assert model is not None
    unseen = np.random.default_rng([seed, 2]).dirichlet(20 * mixtures[-1] + 0.5, 50)
    wanted = np.array([truth.gains(row) for row in unseen])
    swarm = Swarm(problem(8).domains, TARGETS, mixtures, np.einsum("kd,kdt->kt", mixtures, tables))
    errors = [
        float(np.sqrt(np.mean((predicted - wanted) ** 2)))
        for predicted in (
            np.array([model.gains(row) for row in unseen]),
            unseen @ tables[-1],
            LightGbm(rounds=300).fit(swarm).predict(unseen),
        )
    ]
    assert errors[0] < 0.5 * min(errors[1:])


def test_few_tables_and_tables_of_one_mixture_teach_no_interactions() -> None:
    mixtures = sampled(0)
    tables, steps = measured(redundant(0, 3.0), mixtures), np.arange(1.0, 17.0)
    assert learnt(mixtures, steps, tables) is not None
    assert learnt(mixtures[:5], steps[:5], tables[:5]) is None
    assert learnt(np.tile(mixtures[0], (16, 1)), steps, tables) is None


@pytest.mark.parametrize("policy", [TikmixD(), TikmixM()])
@pytest.mark.parametrize("targets", [1, 9, 85, 200])
def test_a_state_stays_small_however_many_targets_there_are(policy: AnyPolicy, targets: int) -> None:
    rng, state = np.random.default_rng(0), policy.init(problem(100))
    for step in range(1, 10):
        state = policy.update(state, told(step, state.weights, rng.standard_normal((100, targets))))
    assert len(json.dumps(policy.dump(state))) <= 64 * 1024


@pytest.mark.parametrize("policy", [TikmixD(), TikmixM()])
def test_influence_beyond_single_precision_gives_a_mixture(policy: AnyPolicy) -> None:
    influence = np.array([[1e300, 1.0], [1e299, 2.0], [-1e300, -1e-300]])
    state = policy.init(problem(3))
    for step in range(1, 10):
        state = policy.update(state, told(step, state.weights, influence))
    assert state.weights.sum() == pytest.approx(1)
    assert state.weights.argmin() == 2


@pytest.mark.parametrize("made", [TikmixD, TikmixM])
def test_strengths_that_leave_no_single_optimum_are_refused(made: type[TikmixD] | type[TikmixM]) -> None:
    with pytest.raises(InvalidInputError, match="entropy > 0"):
        made(entropy=0.0)
    with pytest.raises(InvalidInputError, match="finite"):
        made(gain=np.nan)
