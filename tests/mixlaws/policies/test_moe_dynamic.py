"""Dynamic mixing by expert loads: whose routing is unlike the others, and by which measure."""

import itertools
from typing import Any

import numpy as np
import pytest

from benchmarks.reference_vectors.case import problem, untrained
from mixlaws.feedback import Feedback
from mixlaws.measurements import ExpertCounts
from mixlaws.policies.moe_dynamic import MoeDynamic

# The first two route alike, the third half like them, the last by itself.
LOADS = np.array([[50, 50, 0, 0], [500, 500, 0, 0], [25, 25, 50, 0], [0, 0, 0, 10]])
PRIOR = [0.4, 0.3, 0.2, 0.1]


def loads(counts: Any) -> Feedback:
    return untrained(1, np.full(4, 0.25), expert_counts=ExpertCounts(np.array(counts, float), 3, "hard"))


@pytest.mark.parametrize("distance", ["l2", "cos"])
def test_the_domain_that_routes_by_itself_gets_more_whatever_its_number_of_tokens(distance: Any) -> None:
    policy = MoeDynamic(distance=distance)
    state = policy.update(policy.init(problem(4)), loads(LOADS))
    assert state.weights[3] > state.weights[2] > state.weights[0]
    assert state.weights[0] == pytest.approx(state.weights[1])
    assert policy.update(policy.init(problem(4)), loads(7 * LOADS)).weights == pytest.approx(state.weights)


def test_a_domain_counts_among_those_it_is_compared_with() -> None:
    policy = MoeDynamic(eta=1.0, smoothing=0.0)
    two = np.array([[1, 0, 0, 0], [0, 1, 0, 0], [1, 0, 0, 0], [1, 0, 0, 0]])
    shares = ExpertCounts(two.astype(float), 3, "hard").shares
    # sqrt(2) to the second one, and 0 to three of four with itself: not to two of three without.
    assert policy.distances(shares)[0] == pytest.approx(np.sqrt(2) / 4)


@pytest.mark.parametrize("distance", ["l2", "cos", "reversed_l2"])
@pytest.mark.parametrize("aggregate", ["mean", "min", "max"])
def test_equal_routing_leaves_the_prior_but_for_the_smoothing(distance: Any, aggregate: Any) -> None:
    policy = MoeDynamic(distance=distance, aggregate=aggregate)
    state = policy.update(policy.init(problem(4, prior=PRIOR)), loads(np.tile([3, 1, 0, 9], (4, 1))))
    assert state.weights == pytest.approx(0.95 * np.array(PRIOR) + 0.05 / 4)


@pytest.mark.parametrize("aggregate", ["mean", "max"])
def test_reversed_distances_are_the_same_ones_the_other_way_round_and_equals_stay_equal(
    aggregate: Any,
) -> None:
    shares = ExpertCounts(LOADS.astype(float), 3, "hard").shares
    plain, turned = (
        MoeDynamic(distance=distance, aggregate=aggregate).distances(shares)
        for distance in ("l2", "reversed_l2")
    )
    assert turned.sum() == pytest.approx(plain.sum())
    assert turned[0] == pytest.approx(turned[1])
    for left, right in itertools.combinations(range(4), 2):
        assert (plain[left] - plain[right]) * (turned[left] - turned[right]) <= 1e-12


def test_a_domain_without_loads_keeps_its_share_and_is_compared_with_nobody() -> None:
    policy = MoeDynamic(smoothing=0.0)
    absent = LOADS.copy()
    absent[3] = 0
    state = policy.update(policy.init(problem(4, prior=PRIOR)), loads(absent))
    assert state.weights[3] == pytest.approx(PRIOR[3])
    alone = MoeDynamic().distances(ExpertCounts(LOADS[:3].astype(float), 3, "hard").shares)
    assert policy.distances(ExpertCounts(absent.astype(float), 3, "hard").shares)[:3] == pytest.approx(alone)
    assert policy.update(state, loads(0 * LOADS)) is state
