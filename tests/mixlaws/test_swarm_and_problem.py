"""Swarms are checked once, on construction; problems know their caps."""

import numpy as np
import pytest

from mixlaws.domains import DomainSet
from mixlaws.errors import InfeasibleError, InvalidInputError, WeightsError
from mixlaws.problem import MixtureProblem
from mixlaws.swarm import Swarm

DOMAINS = DomainSet(("web", "code"), (90, 10))


def swarm(weights: list[list[float]], values: list[list[float]]) -> Swarm:
    return Swarm(DOMAINS, ("loss",), np.array(weights), np.array(values))


def test_a_non_finite_target_is_refused_with_its_run_and_name() -> None:
    with pytest.raises(InvalidInputError, match="target 'loss' of run 1 is nan"):
        swarm([[0.5, 0.5], [0.1, 0.9]], [[1.0], [np.nan]])


def test_mixtures_off_the_simplex_are_refused() -> None:
    with pytest.raises(WeightsError, match=r"sum to 1\.1"):
        swarm([[0.5, 0.6]], [[1.0]])


def test_a_swarm_cannot_be_written_to() -> None:
    with pytest.raises(ValueError, match="read-only"):
        swarm([[0.5, 0.5]], [[1.0]]).values[0, 0] = 0.0


def test_a_part_of_a_swarm_keeps_rows_together() -> None:
    whole = Swarm(
        DOMAINS,
        ("a", "b"),
        np.array([[0.5, 0.5], [0.1, 0.9], [1.0, 0.0]]),
        np.arange(6.0).reshape(3, 2),
        seeds=np.array([7, 8, 9]),
    )
    part = whole.take([2, 0]).only(["b"])
    assert part.values.tolist() == [[5.0], [1.0]]
    assert part.seeds is not None
    assert part.seeds.tolist() == [9, 7]


def test_objective_coefficients_are_normalised_and_checked() -> None:
    whole = swarm([[0.5, 0.5]], [[1.0]])
    assert whole.coefficients({"loss": 4.0}).tolist() == [1.0]
    with pytest.raises(InvalidInputError, match="unknown target 'los'"):
        whole.coefficients({"los": 1.0})
    with pytest.raises(InvalidInputError, match="no positive coefficient"):
        whole.coefficients({"loss": 0.0})


def test_a_cap_is_tokens_times_epochs_over_the_final_budget() -> None:
    problem = MixtureProblem.create(DOMAINS, final_tokens=100, max_epochs={"web": 4, "code": 4})
    assert problem.caps == pytest.approx([1.0, 0.4])


def test_caps_that_admit_no_mixture_are_refused() -> None:
    with pytest.raises(InfeasibleError, match=r"sum to 0\.5 < 1"):
        MixtureProblem.create(DOMAINS, final_tokens=200, max_epochs={"web": 1, "code": 1})


def test_the_sampled_region_is_the_box_of_the_runs() -> None:
    problem = MixtureProblem.create(DOMAINS).within(np.array([[0.2, 0.8], [0.6, 0.4]]))
    assert problem.lower == pytest.approx([0.2, 0.4])
    assert problem.caps == pytest.approx([0.6, 0.8])
    with pytest.raises(InfeasibleError, match="sampled region"):
        MixtureProblem.create(DOMAINS, lower={"code": 0.9}).within(np.array([[0.2, 0.8], [0.6, 0.4]]))


def test_a_bound_that_the_tokens_cannot_serve_is_named() -> None:
    with pytest.raises(InfeasibleError, match=r"'code' has the lower bound 0\.5, and its tokens allow only"):
        MixtureProblem.create(DOMAINS, lower={"code": 0.5}, final_tokens=1000, max_epochs={"code": 1})


@pytest.mark.parametrize("row", [[1.0, np.nan], [-1.0, 2.0], [0.0, 0.0]])
def test_coefficients_that_weigh_nothing_are_refused(row: list[float]) -> None:
    with pytest.raises(InvalidInputError, match="coefficients are"):
        MixtureProblem.create(DOMAINS, coefficients=np.array(row))
