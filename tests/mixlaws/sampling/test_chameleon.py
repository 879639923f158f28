"""Leverage scores of domain embeddings, and the two mixtures made of them."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from mixlaws.arrays import FloatArray
from mixlaws.domains import DomainSet
from mixlaws.errors import InvalidInputError
from mixlaws.problem import MixtureProblem
from mixlaws.sampling.chameleon import Chameleon, leverage_scores
from mixlaws.sampling.rule import Statistics


def problem(d: int) -> MixtureProblem:
    return MixtureProblem.create(DomainSet(tuple(f"d{i}" for i in range(d)), (1,) * d))


def embeddings(seed: int, d: int, e: int, scale: float = 3.0) -> FloatArray:
    return np.random.default_rng(seed).normal(scale=scale, size=(d, e))


@given(st.integers(0, 2**32 - 1), st.integers(2, 9), st.integers(1, 12), st.floats(0.01, 100))
def test_scores_are_the_diagonal_of_the_ridge_projection(seed: int, d: int, e: int, ridge: float) -> None:
    rows = embeddings(seed, d, e)
    centring = np.eye(d) - 1 / d
    kernel = centring @ rows @ rows.T @ centring
    direct = np.diag(kernel @ np.linalg.inv(kernel + ridge * d * np.eye(d)))
    assert leverage_scores(rows, ridge=ridge) == pytest.approx(direct, abs=1e-8)


@given(st.integers(0, 2**32 - 1))
def test_turning_or_moving_all_embeddings_changes_no_score(seed: int) -> None:
    rows = embeddings(seed, 5, 4)
    turn, _ = np.linalg.qr(np.random.default_rng(seed + 1).normal(size=(4, 4)))
    moved = rows @ turn + np.arange(4.0)
    assert leverage_scores(moved, ridge=10) == pytest.approx(leverage_scores(rows, ridge=10), abs=1e-9)


def test_a_domain_unlike_the_others_gets_little_pretraining_and_much_finetuning() -> None:
    rows = embeddings(0, 7, 16, scale=1.0)
    rows[3] += 12.0
    statistics = Statistics(embeddings=rows)
    pretraining = Chameleon().mixture(problem(7), statistics)
    finetuning = Chameleon("finetuning").mixture(problem(7), statistics)
    assert pretraining.argmin() == finetuning.argmax() == 3
    assert pretraining.sum() == pytest.approx(1)


def test_longer_embeddings_make_scores_more_alike_at_one_ridge() -> None:
    # The scores depend on the unit of the embeddings: known of the method, and told in its docstring.
    rows = embeddings(2, 6, 20, scale=0.1)
    short, long = (leverage_scores(scale * rows, ridge=10) for scale in (1.0, 1e4))
    assert np.ptp(long / long.sum()) < 0.01 * np.ptp(short / short.sum())


def test_embeddings_without_any_difference_are_refused() -> None:
    with pytest.raises(InvalidInputError, match="no domain stands out"):
        Chameleon().mixture(problem(3), Statistics(embeddings=np.ones((3, 8))))


@pytest.mark.parametrize("wrong", [{"stage": "both"}, {"ridge": 0}, {"temperature": float("nan")}])
def test_hyperparameters_that_mean_nothing_are_refused(wrong: dict[str, object]) -> None:
    with pytest.raises(InvalidInputError, match="use"):
        Chameleon(**wrong)  # type: ignore[arg-type]
