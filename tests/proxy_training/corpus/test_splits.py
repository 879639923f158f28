"""Documents are held out whole, in stable places, and enough of them."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from proxy_training.corpus.errors import DomainTooSmallError
from proxy_training.corpus.splits import (
    FEWEST_HELD_OUT_TOKENS,
    HELD_OUT_DOCUMENTS,
    HELD_OUT_TOKENS,
    SPLITS,
    TRIMMED_SHARE,
    WANTED_DOCUMENTS,
    Candidate,
    Division,
    Split,
    divide,
    quarters,
)

END = 0


def candidates(sizes: list[int], *, seed: int = 0, prefix: str = "f") -> list[Candidate]:
    origins = [f"{prefix}{number}" for number in range(len(sizes))]
    tokens = [np.array([1] * (size - 1) + [END], dtype=np.uint16) for size in sizes]
    places = quarters(origins, seed=seed)
    return [
        Candidate(origin, t, split, rank)
        for origin, t, (split, rank) in zip(origins, tokens, places, strict=True)
    ]


def origins_of(division: Division, split: Split) -> set[str]:
    return {document.origin for document in division.documents[split]}


@given(st.lists(st.integers(1, 20_000), min_size=1, max_size=80), st.integers(0, 5))
def test_every_document_is_in_one_split_and_every_token_accounted_for(sizes: list[int], seed: int) -> None:
    documents = candidates(sizes, seed=seed)
    try:
        division = divide(documents, domain="d")
    except DomainTooSmallError:
        return
    found = [document.origin for split in SPLITS for document in division.documents[split]]
    assert sorted(found) == sorted(document.origin for document in documents)
    assert sum(division.tokens(split) for split in SPLITS) + division.trimmed_tokens == sum(sizes)
    for split in ("validation", "test"):
        held = division.documents[split]
        assert len(held) >= HELD_OUT_DOCUMENTS
        assert (
            FEWEST_HELD_OUT_TOKENS <= division.tokens(split) <= 1.25 * min(HELD_OUT_TOKENS, sum(sizes) / 10)
        )
        assert all(document.tokens[-1] == END for document in held)
    whole = {document.origin: len(document.tokens) for document in documents}
    assert all(len(document.tokens) == whole[document.origin] for document in division.documents["train"])


def test_a_large_domain_holds_out_enough_for_evaluation() -> None:
    division = divide(candidates([4000] * 500), domain="d")
    assert 50_000 <= division.tokens("validation") <= 62_500
    assert 50_000 <= division.tokens("test") <= 62_500
    assert division.trimmed_tokens == 0


def test_giant_documents_still_give_several_to_each_split() -> None:
    division = divide(candidates([300_000] * 24), domain="d")
    assert len(division.documents["validation"]) == len(division.documents["test"]) == HELD_OUT_DOCUMENTS
    assert division.tokens("validation") == division.tokens("test") == 50_000
    assert division.trimmed_tokens == 8 * (300_000 - 12_500)


def test_a_large_domain_holds_out_parts_of_a_dozen_documents_and_trims_little() -> None:
    division = divide(candidates([12_000] * 400), domain="d")
    for split in ("validation", "test"):
        assert len(division.documents[split]) == WANTED_DOCUMENTS
        assert 50_000 <= division.tokens(split) < 50_100
    assert division.trimmed_tokens <= 2 * TRIMMED_SHARE * 400 * 12_000
    small = divide(candidates([4_000] * 40), domain="d")
    assert small.trimmed_tokens <= 2 * TRIMMED_SHARE * 40 * 4_000


@given(st.integers(20, 100), st.integers(0, 5))
def test_a_new_document_moves_at_most_its_neighbours(count: int, seed: int) -> None:
    sizes = [4000] * count
    before = divide(candidates(sizes, seed=seed), domain="d")
    after = divide(candidates([*sizes, 4000], seed=seed), domain="d")
    for split, other in (("validation", "test"), ("test", "validation")):
        assert not origins_of(before, split) & origins_of(after, other)  # type: ignore[arg-type]
        moved = origins_of(before, split) ^ origins_of(after, split)  # type: ignore[arg-type]
        assert len(moved) <= 3  # it may also change how many documents share a split


def test_the_seed_decides_what_is_held_out() -> None:
    first, second = (divide(candidates([4000] * 200, seed=seed), domain="d") for seed in (0, 1))
    assert origins_of(first, "validation") != origins_of(second, "validation")
    assert origins_of(first, "test") == origins_of(divide(candidates([4000] * 200), domain="d"), "test")


@given(st.integers(0, 60), st.integers(0, 5))
def test_half_of_the_documents_can_never_be_held_out(count: int, seed: int) -> None:
    places = [split for split, _ in quarters([f"f{number}" for number in range(count)], seed=seed)]
    assert places.count("validation") == places.count("test") == count // 4


@pytest.mark.parametrize("sizes", [[], [10**6], [50_000] * 15, [100] * 100, [10**6] + [10] * 40])
def test_a_domain_that_cannot_be_held_out_says_what_it_has_and_needs(sizes: list[int]) -> None:
    with pytest.raises(DomainTooSmallError) as caught:
        divide(candidates(sizes), domain="poems")
    assert f"domain 'poems' has {len(sizes)} documents with {sum(sizes)} tokens" in str(caught.value)
    assert "about 16 documents of similar length with 80000 tokens" in str(caught.value)
