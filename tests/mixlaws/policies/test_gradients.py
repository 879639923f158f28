"""Policies of gradients: DoGE, DGA, PiKE and R&B."""

from dataclasses import replace
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from benchmarks.reference_vectors.case import problem, untrained
from mixlaws.errors import InvalidInputError, UnknownDomainError
from mixlaws.feedback import Feedback
from mixlaws.measurements import GradientNorms, GradientProducts, Gram
from mixlaws.policies.dga import Dga
from mixlaws.policies.doge import DoGE
from mixlaws.policies.pike import Pike
from mixlaws.policies.rnb import Rnb

PRIOR = [0.6, 0.3, 0.1]
NAMES = problem(3).domains.names
RATE = 1e-3
NOTHING = np.full(3, 1 / 3)  # weights in force, which none of these policies reads


def aligned(*rows: Any, norms: Any = 1.0, targets: tuple[str, ...] = ("exams",), **more: Any) -> Feedback:
    """Products of each domain with the targets; a domain with None was absent."""
    absent = np.array([row is None for row in rows])
    products = np.array(
        [np.full(len(targets), np.nan) if row is None else np.atleast_1d(row) for row in rows]
    )
    lengths = np.where(absent, np.nan, np.broadcast_to(norms, len(rows)))
    measured = GradientProducts(products, lengths, np.where(absent, 0, 8), RATE, targets)
    return untrained(1, np.full(len(rows), 1 / len(rows)), grad_products=measured, **more)


def norms(squares: Any, variances: Any, batch: int = 64) -> Feedback:
    measured = GradientNorms(np.array(squares, dtype=float), np.array(variances, dtype=float), batch)
    return untrained(1, NOTHING, grad_norms=measured)


def gram(means: Any, counts: Any = (1, 1, 1)) -> Feedback:
    behind = np.array(counts)
    products = np.where(np.outer(behind, behind) > 0, np.array(means, dtype=float), np.nan)
    return untrained(1, NOTHING, gram=Gram(products * np.outer(behind, behind), behind, "head"))


def ratio(weights: np.ndarray, left: int, right: int) -> float:
    return float(np.log(weights[left] / weights[right]))


ALIKE = {
    "doge": (DoGE(), aligned(0.3, 0.3, 0.3), [1 / 3] * 3),
    "dga": (Dga(), aligned(0.3, 0.3, 0.3), PRIOR),
    "pike": (Pike(), norms([0.5] * 3, [9.0] * 3), PRIOR),
    "rnb": (Rnb(proportions=dict.fromkeys(NAMES, 1.0)), gram(np.eye(3) + 1), [1 / 3] * 3),
}


@pytest.mark.parametrize("name", ALIKE)
def test_equal_signals_leave_the_start_for_ever(name: str) -> None:
    policy: Any
    policy, feedback, start = ALIKE[name]
    state = policy.init(problem(3, prior=PRIOR))
    for _ in range(1000):
        state = policy.update(state, feedback)
    assert state.weights == pytest.approx(start, abs=1e-12)


@pytest.mark.parametrize("shift", [-0.5, 1.0, 400.0])
def test_what_is_added_to_all_scores_changes_nothing(shift: float) -> None:
    start = problem(3, prior=PRIOR)
    policies: list[tuple[Any, Feedback, Feedback]] = [
        (Dga(), aligned(0.1, 0.2, 0.3), aligned(0.1 + shift, 0.2 + shift, 0.3 + shift)),
        (
            Pike(),
            norms([0.1, 0.2, 0.3], [5.0] * 3),
            norms([0.1 + shift, 0.2 + shift, 0.3 + shift], [5.0] * 3),
        ),
    ]
    for policy, plain, shifted in policies:
        expected = policy.update(policy.init(start), plain).weights
        assert policy.update(policy.init(start), shifted).weights == pytest.approx(expected)


def test_doge_moves_by_the_learning_rate_and_the_mean_norm_and_divides_before_it_clips() -> None:
    policy = DoGE()
    state = policy.update(policy.init(problem(3)), aligned(4.0, 2.0, -7.0, norms=[1.0, 2.0, 3.0]))
    # The mean norm is 2: scores are 2, 1 and -3.5 learning rates, of which the last is held at 0.
    assert ratio(state.weights, 0, 1) == pytest.approx(RATE / policy.mu, rel=1e-5)
    assert ratio(state.weights, 1, 2) == pytest.approx(RATE / policy.mu, rel=1e-5)
    far = policy.update(policy.init(problem(3)), aligned(400.0, 0.0, 0.0))
    assert ratio(far.weights, 0, 1) == pytest.approx(5 * RATE / policy.mu)


def test_doge_cuts_long_gradients_down_before_it_multiplies_them() -> None:
    policy = DoGE(clip_norm=2.0)
    scores = policy.scores(NAMES, _products(aligned(3.0, 3.0, 3.0, norms=[8.0, 2.0, 2.0])))
    assert scores == pytest.approx(RATE * np.array([0.75, 3.0, 3.0]) / 2, rel=1e-5)


def test_doge_counts_a_domain_as_its_own_target_unless_told_not_to() -> None:
    told = aligned([9.0, 1.0], [2.0, 9.0], targets=("domain-000", "domain-001"))
    with_own, without = (DoGE(own_targets=own) for own in (True, False))
    names = problem(2).domains.names
    assert with_own.scores(names, _products(told)) == pytest.approx(RATE * np.array([5.0, 5.0]), rel=1e-5)
    assert without.scores(names, _products(told)) == pytest.approx(RATE * np.array([1.0, 2.0]), rel=1e-5)


def test_doge_gives_an_absent_domain_the_score_0_whatever_it_had_before() -> None:
    policy = DoGE()
    state = policy.update(policy.init(problem(3)), aligned(1.0, 1.0, 5.0))
    after = policy.update(state, aligned(1.0, 1.0, None))
    assert policy.scores(NAMES, _products(aligned(1.0, 1.0, None)))[2] == 0.0
    moved = ratio(after.weights, 0, 2) - ratio(state.weights, 0, 2)
    assert moved == pytest.approx(RATE / policy.mu, rel=1e-5), "its norm is not in the mean either"


def test_doge_gives_the_average_of_its_weights_whose_start_does_not_count() -> None:
    policy = DoGE()
    state = policy.init(problem(3))
    assert policy.average(state) == pytest.approx([1 / 3] * 3)
    weights = []
    for step in range(1, 40):
        state = policy.update(state, aligned(1.0 / step, 0.5, 0.1))
        weights.append(state.weights)
    assert policy.average(state) == pytest.approx(np.mean(weights, axis=0))


def test_doge_moves_over_some_steps_as_so_many_updates_would() -> None:
    policy = DoGE()
    fine = coarse = policy.init(problem(3))
    for _ in range(10):
        fine = policy.update(fine, aligned(1.0, 0.5, 0.1))
    coarse = policy.update(coarse, aligned(1.0, 0.5, 0.1, steps=10))
    assert coarse.weights == pytest.approx(fine.weights, abs=1e-12)
    assert coarse.averaged_steps == fine.averaged_steps


def test_doge_says_that_it_needs_norms_and_outlives_a_gap_in_them() -> None:
    policy, gap = DoGE(), aligned(1.0, 0.5, 0.1, norms=np.nan)
    with pytest.raises(InvalidInputError, match="without norms"):
        policy.update(policy.init(problem(3)), gap)
    state = policy.update(policy.init(problem(3)), aligned(1.0, 0.5, 0.1))
    assert policy.update(state, gap) is state


def test_doge_leaves_out_a_target_that_nobody_measured_whether_own_ones_count_or_not() -> None:
    told = aligned([2.0, np.nan], [1.0, np.nan], targets=("code", "domain-000"))
    names = problem(2).domains.names
    for own in (True, False):
        scores = DoGE(own_targets=own).scores(names, _products(told))
        assert scores == pytest.approx(RATE * np.array([2.0, 1.0]), rel=1e-5)


def test_dga_goes_to_the_aligned_domain_and_keeps_a_part_of_what_was() -> None:
    policy = Dga(eta=2.0, memory=0.75)
    state = policy.update(policy.init(problem(3, prior=PRIOR)), aligned(-1.0, 0.0, 1.0))
    step = np.array(PRIOR) * np.exp([-2.0, 0.0, 2.0])
    assert state.weights == pytest.approx(0.75 * np.array(PRIOR) + 0.25 * step / step.sum())
    for _ in range(200):
        state = policy.update(state, aligned(-1.0, 0.0, 1.0))
    assert state.weights[2] > 0.999


def test_dga_lets_a_weight_fall_by_no_more_than_its_memory_however_wrong_a_product_is() -> None:
    policy = Dga(memory=0.9)
    state = policy.update(policy.init(problem(3, prior=PRIOR)), aligned(-1e9, 0.0, 0.0))
    assert state.weights[0] == pytest.approx(0.9 * PRIOR[0])


def test_several_targets_count_alike_and_one_that_nobody_measured_does_not() -> None:
    policy = Dga()
    one = policy.update(policy.init(problem(3)), aligned(0.2, 0.4, 0.6))
    several = aligned([0.0, 0.4, np.nan], [0.8, 0.0, np.nan], [0.6, 0.6, np.nan], targets=("a", "b", "c"))
    assert policy.update(policy.init(problem(3)), several).weights == pytest.approx(one.weights)


def test_pike_prefers_long_gradients_and_shuns_noisy_ones() -> None:
    policy = Pike(zeta1=0.5, zeta2=3.0, batch=100)
    start = policy.init(problem(3))
    longer = policy.update(start, norms([2.0, 1.0, 1.0], [50.0] * 3))
    assert ratio(longer.weights, 0, 1) == pytest.approx(0.5)
    noisy = policy.update(start, norms([1.0] * 3, [150.0, 50.0, 50.0]))
    assert ratio(noisy.weights, 0, 1) == pytest.approx(-3.0 / (2 * 100) * 100)


def test_pike_is_not_biased_by_estimates_below_0() -> None:
    policy, rng = Pike(batch=64), np.random.default_rng(0)
    state = policy.init(problem(3))
    for _ in range(2000):  # of two domains with a gradient of 0, one is far noisier to measure
        state = policy.update(state, norms(rng.normal(0.0, [0.05, 1e-4, 1e-4]), np.zeros(3)))
    # Four deviations of the sum; to hold estimates at 0 would have added 40.
    assert abs(ratio(state.weights, 0, 1)) < 4 * 0.05 * np.sqrt(2000)


def test_rnb_does_not_depend_on_the_scale_of_gradients_nor_on_how_many_samples_were_drawn() -> None:
    rng = np.random.default_rng(0)
    vectors = rng.standard_normal((3, 5))
    policy = Rnb()
    expected = policy.update(policy.init(problem(3, prior=PRIOR)), gram(vectors @ vectors.T)).weights
    for scale in (1e-12, 1e9):
        told = gram(scale * vectors @ vectors.T, (1, 30, 7))
        assert policy.update(policy.init(problem(3, prior=PRIOR)), told).weights == pytest.approx(expected)


def test_rnb_forgets_a_round_with_the_next_and_is_bounded_by_its_strength() -> None:
    policy = Rnb(strength=2.0)
    start = problem(3, prior=PRIOR)
    first, second = gram(np.diag([9.0, 1.0, 1.0])), gram([[1, -1, 0], [-1, 4, 0], [0, 0, 2]])
    fresh = policy.update(policy.init(start), second)
    after = policy.update(policy.update(policy.init(start), first), second)
    assert after.weights == pytest.approx(fresh.weights)
    assert abs(np.log(fresh.weights.max() / fresh.weights.min())) <= 2.0 * np.sqrt(2)


@pytest.mark.parametrize("products", [np.zeros((3, 3)), np.diag([0.0, 0.0, 5.0])])
def test_rnb_with_nothing_that_speaks_for_any_domain_is_uniform(products: np.ndarray) -> None:
    policy = Rnb(proportions={NAMES[0]: 2.0, NAMES[1]: 1.0})
    state = policy.update(policy.init(problem(3)), gram(products))
    assert state.weights == pytest.approx([1 / 3] * 3)


def test_rnb_refuses_proportions_of_nothing_and_of_unknown_domains() -> None:
    with pytest.raises(InvalidInputError, match="not all of them 0"):
        Rnb(proportions={NAMES[0]: 0.0}).init(problem(3))
    with pytest.raises(UnknownDomainError, match="exams"):
        Rnb(proportions={"exams": 1.0}).init(problem(3))


NEAR = np.array([[4.0, 1.0, 0.5], [1.0, 2.0, 0.1], [0.5, 0.1, 1.0]])
ABSENT: dict[str, tuple[Any, Feedback]] = {
    "dga": (Dga(), aligned(0.9, 0.1, None)),
    "pike": (Pike(), norms([0.9, 0.1, np.nan], [5.0, 5.0, 5.0])),
    "rnb": (Rnb(), gram(NEAR, (4, 4, 0))),
    "rnb, a pair": (Rnb(), gram([[4.0, 1.0, 0.5], [1.0, 2.0, 0.1], [0.5, 0.1, np.nan]])),
}


@pytest.mark.parametrize("name", ABSENT)
def test_an_absent_domain_keeps_its_weight_and_the_others_share_theirs(name: str) -> None:
    policy, told = ABSENT[name]
    state = policy.init(problem(3, prior=PRIOR))
    after = policy.update(state, told)
    assert after.weights[2] == pytest.approx(state.weights[2])
    assert after.weights[0] > state.weights[0]
    assert after.weights.sum() == pytest.approx(1, abs=1e-12)


@pytest.mark.parametrize("policy", [DoGE(), Dga(), Rnb()], ids=["doge", "dga", "rnb"])
def test_a_round_of_which_nothing_was_measured_teaches_nothing(policy: Any) -> None:
    state = policy.init(problem(3, prior=PRIOR))
    assert policy.update(state, aligned(None, None, None)) is state
    assert policy.update(state, gram(NEAR, (0, 0, 0))) is state


FINITE = st.floats(allow_nan=False, allow_infinity=False)


@given(st.lists(st.one_of(FINITE, st.just(np.nan)), min_size=6, max_size=6))
def test_products_of_any_size_give_a_mixture(values: list[float]) -> None:
    left, right = np.array(values[:3]), np.array(values[3:])
    pairs = np.outer(left / 1e154, right / 1e154)
    told = [
        (DoGE(), aligned(*left, norms=np.maximum(np.abs(np.nan_to_num(right)), 1e-300))),
        (Dga(eta=1e10), aligned(*left)),
        (Pike(zeta1=1e10), norms(left, right)),
        (Rnb(strength=1e6), gram(pairs + pairs.T)),
    ]
    policy: Any
    for policy, feedback in told:
        state = policy.update(policy.init(problem(3, prior=PRIOR)), feedback)
        assert abs(state.weights.sum() - 1) <= 1e-12
        assert state.weights.min() >= 0


def test_scores_beyond_all_floats_give_a_mixture() -> None:
    policy = DoGE(clip_norm=None)
    products = replace(_products(aligned(1e300, 1e299, -1.0)), learning_rate=1e308)
    told = untrained(1, NOTHING, grad_products=products)
    state = policy.update(policy.init(problem(3)), told)
    assert state.weights == pytest.approx([0.5, 0.5, 0.0])


def _products(feedback: Feedback) -> GradientProducts:
    assert feedback.grad_products is not None
    return feedback.grad_products
