"""UtiliMax balances tasks, spreads what it is unsure of, and falls back to UniMax where it knows nothing."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from mixlaws.domains import DomainSet
from mixlaws.errors import InvalidInputError
from mixlaws.optimality import kkt_gap
from mixlaws.problem import MixtureProblem
from mixlaws.sampling.rule import Statistics
from mixlaws.sampling.unimax import UniMax
from mixlaws.sampling.utilimax import UtiliMax, relative_utilities


def problem(tokens: list[int], *, epochs: float = 4.0, **options: object) -> MixtureProblem:
    names = tuple(f"d{i}" for i in range(len(tokens)))
    return MixtureProblem.create(
        DomainSet(names, tuple(tokens)),
        max_epochs=dict.fromkeys(names, epochs),
        **options,  # type: ignore[arg-type]
    )


@given(st.integers(0, 2**32 - 1), st.integers(1, 8), st.integers(1, 12), st.floats(0, 5))
def test_the_conditions_of_optimality_hold_within_caps(seed: int, d: int, t: int, risk: float) -> None:
    rng = np.random.default_rng(seed)
    utilities = rng.uniform(-0.5, 1, (d, t))
    capped = problem(rng.integers(1, 50, d).tolist(), final_tokens=d * 4)
    found = UtiliMax(risk).mixture(capped, Statistics(utilities=utilities))
    gradient = utilities @ (found @ utilities - 1) / t + risk * found
    assert kkt_gap(gradient, found, capped.lower, capped.caps) < 1e-7
    assert np.all(found <= capped.caps + 1e-12)


@given(st.lists(st.integers(1, 1000), min_size=1, max_size=8), st.floats(0.01, 1))
def test_utilities_that_are_all_alike_give_the_mixture_of_unimax(tokens: list[int], share: float) -> None:
    budget = max(int(share * 4 * sum(tokens)), 1)
    capped = problem(tokens, final_tokens=budget)
    found = UtiliMax().mixture(capped, Statistics(utilities=np.full((len(tokens), 3), 0.7)))
    assert found == pytest.approx(UniMax().mixture(capped), abs=1e-7)


def test_one_task_without_risk_is_best_at_a_vertex_and_caps_risk_or_more_tasks_hold_it_back() -> None:
    one_task = Statistics(utilities=np.array([[1.0], [0.6], [0.2]]))
    free = problem([1, 1, 1])
    assert UtiliMax(0).mixture(free, one_task) == pytest.approx([1, 0, 0], abs=1e-9)
    capped = problem([100, 100, 100], final_tokens=1000, epochs=6.0)
    assert UtiliMax(0).mixture(capped, one_task) == pytest.approx([0.6, 0.4, 0], abs=1e-9)
    assert UtiliMax(1).mixture(free, one_task).max() < 0.7
    three_tasks = Statistics(utilities=np.eye(3))
    assert UtiliMax(0).mixture(free, three_tasks) == pytest.approx(np.full(3, 1 / 3), abs=1e-9)


def test_domains_that_serve_one_task_each_are_shared_out_by_the_coefficients() -> None:
    # min sum_t c_t (1 - w_t)^2: c_t (1 - w_t) is the same for all tasks.
    coefficients = np.array([0.5, 0.3, 0.2])
    level = 2 / (1 / coefficients).sum()
    found = UtiliMax(0).mixture(
        problem([1, 1, 1], coefficients=coefficients), Statistics(utilities=np.eye(3))
    )
    assert found == pytest.approx(1 - level / coefficients, abs=1e-9)


def test_the_sum_of_objective_coefficients_does_not_change_what_risk_means() -> None:
    utilities = Statistics(utilities=np.random.default_rng(0).random((4, 3)))
    first, tenfold = (
        UtiliMax(0.5).mixture(problem([1] * 4, coefficients=scale * np.array([0.2, 0.3, 0.5])), utilities)
        for scale in (1.0, 10.0)
    )
    assert tenfold == pytest.approx(first, abs=1e-12)


def test_more_risk_never_makes_the_mixture_less_even() -> None:
    utilities = Statistics(utilities=np.random.default_rng(1).random((6, 4)))
    squares = [
        float((UtiliMax(risk).mixture(problem([1] * 6), utilities) ** 2).sum())
        for risk in (0, 0.01, 0.1, 1, 10)
    ]
    assert squares == sorted(squares, reverse=True)


def test_utilities_from_losses_are_shares_of_the_best_improvement() -> None:
    utilities = relative_utilities(np.array([[2.0, 3.0], [2.5, 2.0]]), np.array([3.0, 4.0]))
    assert utilities == pytest.approx(np.array([[1.0, 0.5], [0.5, 1.0]]))
    with pytest.raises(InvalidInputError, match="task 1"):
        relative_utilities(np.array([[2.0, 3.0]]), np.array([3.0, 3.0]))


def test_coefficients_for_other_tasks_are_refused() -> None:
    with pytest.raises(InvalidInputError, match="2 objective coefficients for 3 tasks"):
        UtiliMax().mixture(
            problem([1, 1], coefficients=np.array([0.5, 0.5])), Statistics(utilities=np.ones((2, 3)))
        )
