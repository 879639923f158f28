"""Entropies of text whose truth is known, and the published mixtures that they lead to."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from mixlaws.domains import DomainSet
from mixlaws.errors import InvalidInputError
from mixlaws.problem import MixtureProblem
from mixlaws.sampling.entropy import entropy, pair_entropies, von_neumann_entropy
from mixlaws.sampling.entropy_proxy import EntropyProxy
from mixlaws.sampling.rule import Statistics
from mixlaws.simplex import normalise

# Mixtures that BiMix publishes for SlimPajama, arXiv:2405.14908: from SE, JE and CE, four decimals.
SLIMPAJAMA = ("arxiv", "books", "c4", "cc", "github", "stackexchange", "wikipedia")
UNIGRAM = np.array([0.0738, 0.1474, 0.1619, 0.1863, 0.0952, 0.1152, 0.2202])
JOINT = np.array([0.0339, 0.1592, 0.2179, 0.2623, 0.0556, 0.0878, 0.1834])
CONDITIONAL = np.array([0.0710, 0.1669, 0.2079, 0.2175, 0.0902, 0.1177, 0.1287])

pair_tables = arrays(np.int64, st.tuples(st.integers(1, 7), st.integers(1, 7)), elements=st.integers(0, 50))


def problem(names: tuple[str, ...]) -> MixtureProblem:
    return MixtureProblem.create(DomainSet(names, (1,) * len(names)))


def test_the_published_joint_mixture_is_the_product_of_the_other_two() -> None:
    assert normalise(UNIGRAM * CONDITIONAL) == pytest.approx(JOINT, abs=1e-4)
    # The same through the rule: entropies are the logarithms of the published weights, up to a constant.
    unigram, conditional = np.log(UNIGRAM), np.log(CONDITIONAL)
    statistics = Statistics(
        unigram_entropy=unigram, conditional_entropy=conditional, joint_entropy=unigram + conditional
    )
    slimpajama = problem(SLIMPAJAMA)
    assert EntropyProxy().mixture(slimpajama, statistics) == pytest.approx(CONDITIONAL, abs=1e-4)
    joint = EntropyProxy("joint_entropy").mixture(slimpajama, statistics)
    assert joint == pytest.approx(JOINT, abs=1e-4)


@given(pair_tables)
def test_joint_entropy_is_unigram_plus_conditional_entropy_of_the_same_counts(table: np.ndarray) -> None:
    if table.sum() == 0:
        return
    first, _ = np.nonzero(table)
    found = pair_entropies(first, table[table > 0], correct=False)
    rows = table[table.sum(axis=1) > 0]
    given_first = rows / rows.sum(axis=1, keepdims=True)
    logs = np.log(np.where(given_first > 0, given_first, 1.0))
    by_definition = -float((rows / rows.sum() * logs).sum())
    assert found.conditional == pytest.approx(by_definition, abs=1e-9)
    assert found.joint == pytest.approx(found.unigram + found.conditional, abs=1e-12)
    corrected = pair_entropies(first, table[table > 0])
    assert corrected.joint == pytest.approx(corrected.unigram + corrected.conditional, abs=1e-12)


def test_the_small_sample_correction_takes_two_thirds_of_the_bias_of_conditional_entropy() -> None:
    # A chain of 30 tokens whose successors are drawn from 30: SE = CE = ln 30, from 1500 pairs.
    rng = np.random.default_rng(0)
    errors: dict[bool, list[float]] = {True: [], False: []}
    for _ in range(40):
        table = np.bincount(rng.integers(0, 900, 1500), minlength=900).reshape(30, 30)
        first, _ = np.nonzero(table)
        for correct, found in errors.items():
            estimate = pair_entropies(first, table[table > 0], correct=correct).conditional
            found.append(estimate - np.log(30))
    assert np.mean(errors[False]) < -0.25
    assert abs(np.mean(errors[True])) < abs(np.mean(errors[False])) / 3


def test_entropy_does_not_care_about_outcomes_never_seen() -> None:
    assert entropy(np.array([3.0, 0.0, 1.0])) == entropy(np.array([1.0, 3.0]))
    assert entropy(np.full(8, 5.0), correct=False) == pytest.approx(np.log(8))


def test_von_neumann_entropy_counts_directions() -> None:
    assert von_neumann_entropy(np.eye(5)) == pytest.approx(np.log(5))
    assert von_neumann_entropy(np.outer([1.0, 2.0, 9.0], [1.0, 1.0])) == pytest.approx(0, abs=1e-12)
    # Two directions, each shared by half of the tokens, whatever their lengths.
    assert von_neumann_entropy(np.array([[1.0, 0], [7, 0], [0, 2], [0, 3]])) == pytest.approx(np.log(2))


def test_shares_count_a_token_as_often_as_the_text_holds_it() -> None:
    embeddings = np.random.default_rng(1).normal(size=(4, 6))
    counts = np.array([5, 1, 3, 7])
    text = np.repeat(embeddings, counts, axis=0)
    assert von_neumann_entropy(embeddings, counts / counts.sum()) == pytest.approx(von_neumann_entropy(text))
    shares = np.array([0.5, 0.25, 0.125, 0.125])
    assert von_neumann_entropy(np.eye(4), shares) == pytest.approx(-(shares * np.log(shares)).sum())


def test_more_tokens_than_coordinates_give_the_entropy_of_the_whole_kernel() -> None:
    embeddings = np.random.default_rng(0).normal(size=(40, 6))
    rows = embeddings / np.linalg.norm(embeddings, axis=1, keepdims=True)
    values = np.linalg.eigvalsh(rows @ rows.T / 40)
    values = values[values > 1e-12]
    assert von_neumann_entropy(embeddings) == pytest.approx(-(values * np.log(values)).sum())


@given(st.floats(-50, 50))
def test_a_bias_that_all_domains_share_does_not_change_the_mixture(bias: float) -> None:
    entropies = np.array([4.0, 5.5, 6.25])
    plain, shifted = (
        EntropyProxy().mixture(problem(("a", "b", "c")), Statistics(conditional_entropy=values))
        for values in (entropies, entropies + bias)
    )
    assert shifted == pytest.approx(plain, abs=1e-9)


def test_a_missing_or_misshapen_statistic_is_named() -> None:
    with pytest.raises(InvalidInputError, match="needs conditional_entropy"):
        EntropyProxy().mixture(problem(("a", "b")))
    with pytest.raises(InvalidInputError, match=r"unigram_entropy has shape \(3,\): expected \(2\)"):
        EntropyProxy("unigram_entropy").mixture(problem(("a", "b")), Statistics(unigram_entropy=np.ones(3)))
    with pytest.raises(InvalidInputError, match="joint_entropy holds NaN"):
        Statistics(joint_entropy=np.array([1.0, np.nan]))


@pytest.mark.parametrize("counts", [[], [0.0], [1.0, -1.0], [np.nan, 1.0]])
def test_counts_that_no_text_has_are_refused(counts: list[float]) -> None:
    with pytest.raises(InvalidInputError, match="counts"):
        entropy(np.array(counts))
