"""Entropies of a corpus on disk agree with the text's known truth, and with counting by hand."""

import itertools
from collections import Counter

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from mixlaws.errors import InvalidInputError
from mixlaws.problem import MixtureProblem
from mixlaws.sampling.entropy import von_neumann_entropy
from mixlaws.sampling.entropy_proxy import EntropyProxy
from proxy_training.corpus import Corpus
from proxy_training.entropies import _evenly_spaced, corpus_entropies, count_pairs, pair_counts
from proxy_training.token_embeddings import token_embeddings

END = 7
texts = st.lists(st.integers(0, END), min_size=2, max_size=60).map(lambda t: np.array(t, dtype=np.uint16))


def by_hand(tokens: np.ndarray) -> Counter[tuple[int, int]]:
    return Counter((int(a), int(b)) for a, b in itertools.pairwise(tokens) if a != END)


@given(texts, st.integers(1, 70))
def test_blocks_of_any_size_count_every_pair_within_documents_once(tokens: np.ndarray, block: int) -> None:
    found = pair_counts(tokens, vocabulary=8, end=END, block=block)
    pairs = zip(found.first.tolist(), found.second.tolist(), strict=True)
    assert dict(zip(pairs, found.counts.tolist(), strict=True)) == by_hand(tokens)


@given(texts, st.integers(1, 70), st.data())
def test_a_sample_has_its_size_and_comes_from_the_text(
    tokens: np.ndarray, block: int, data: st.DataObject
) -> None:
    usable = count_pairs(tokens, end=END)
    if usable == 0:
        return
    sample = data.draw(st.integers(1, usable))
    found = pair_counts(tokens, vocabulary=8, end=END, sample=sample, block=block)
    whole = by_hand(tokens)
    assert found.counts.sum() == sample
    for first, second, count in zip(found.first, found.second, found.counts, strict=True):
        assert count <= whole[int(first), int(second)]


def test_an_even_sample_of_a_huge_text_does_not_overflow() -> None:
    usable, sample = 10**13, 10**12
    assert _evenly_spaced(usable - 1000, 1000, sample, usable).sum() == 100


def test_the_domain_that_is_easier_to_predict_has_the_lower_conditional_entropy(walks: Corpus) -> None:
    statistics = corpus_entropies(walks)
    conditional = statistics.need("conditional_entropy", (2,))
    capitals, small = (walks.domains.index(name) for name in ("capitals", "small"))
    assert conditional[small] < conditional[capitals]
    joint = statistics.need("joint_entropy", (2,))
    assert joint == pytest.approx(statistics.need("unigram_entropy", (2,)) + conditional)
    mixture = EntropyProxy().mixture(MixtureProblem.create(walks.domains), statistics)
    assert mixture[capitals] / mixture[small] == pytest.approx(
        np.exp(conditional[capitals] - conditional[small])
    )


def test_all_pairs_of_a_shard_give_the_entropies_of_its_documents(walks: Corpus) -> None:
    found = corpus_entropies(walks, split="validation", pairs="all", correct=False)
    end = walks.tokeniser.end_of_document
    for index, name in enumerate(walks.domains.names):
        tokens = walks.tokens(name, "validation").tolist()
        counts = Counter((a, b) for a, b in itertools.pairwise(tokens) if a != end)
        shares = np.array(list(counts.values())) / counts.total()
        expected = -(shares * np.log(shares)).sum()
        assert found.need("joint_entropy", (2,))[index] == pytest.approx(expected)


def test_von_neumann_entropy_is_within_that_of_all_tokens_and_the_same_each_time(walks: Corpus) -> None:
    found = corpus_entropies(walks).need("von_neumann_entropy", (2,))
    assert np.all((found > 0) & (found < np.log(walks.vocabulary)))
    again = corpus_entropies(walks).need("von_neumann_entropy", (2,))
    assert np.array_equal(found, again)


def test_tokens_that_keep_the_same_company_have_like_embeddings() -> None:
    # Words of two circles that never meet: every word is followed by each of its circle.
    first, second = np.array([(a, b) for c in (0, 5) for a in range(c, c + 5) for b in range(c, c + 5)]).T
    embeddings = token_embeddings(first, second, np.full(50, 7), vocabulary=11)
    rows = embeddings[:10] / np.linalg.norm(embeddings[:10], axis=1, keepdims=True)
    alike = np.kron(np.eye(2), np.ones((5, 5)))
    assert np.abs(rows @ rows.T) == pytest.approx(alike, abs=1e-6)
    assert np.abs(embeddings[10]).max() < 1e-9  # never seen
    # Two directions, each half of the text; of one circle alone there is but one.
    assert von_neumann_entropy(embeddings[:10]) == pytest.approx(np.log(2), abs=1e-6)
    assert von_neumann_entropy(embeddings[:5]) == pytest.approx(0, abs=1e-6)


def test_more_pairs_than_the_smallest_domain_has_are_refused(walks: Corpus) -> None:
    with pytest.raises(InvalidInputError, match="pairs of adjacent tokens"):
        corpus_entropies(walks, pairs=10**9)
    with pytest.raises(InvalidInputError, match="at least 1"):
        corpus_entropies(walks, pairs=0)
