"""Small domains go to their neighbours with all their documents, or are dropped with a reason."""

import numpy as np
import pytest

from proxy_training.corpus.errors import DomainTooSmallError
from proxy_training.corpus.merging import settle
from proxy_training.corpus.splits import SPLITS, Candidate, Division, quarters


def documents(name: str, *, count: int, size: int = 4000) -> list[Candidate]:
    origins = [f"{name}{number}" for number in range(count)]
    places = quarters(origins, seed=0)
    return [
        Candidate(origin, np.ones(size, dtype=np.uint16), split, rank)
        for origin, (split, rank) in zip(origins, places, strict=True)
    ]


def origins_of(division: Division) -> set[str]:
    return {document.origin for split in SPLITS for document in division.documents[split]}


def test_large_domains_stay_as_they_are() -> None:
    domains = {"a": documents("a", count=100), "b": documents("b", count=100)}
    settlement = settle(domains, neighbours={"b": "a", "a": None}, minimum_tokens=200_000)
    assert settlement.fates == {"a": "kept", "b": "kept"}
    assert list(settlement.divisions) == ["a", "b"]


def test_a_small_domain_goes_to_its_neighbour_with_every_document_and_may_lift_it_over_the_minimum() -> None:
    domains = {"a": documents("a", count=100), "b": documents("b", count=40), "c": documents("c", count=40)}
    settlement = settle(domains, neighbours={"c": "b", "b": "a"}, minimum_tokens=200_000)
    assert list(settlement.divisions) == ["a", "b"]
    assert origins_of(settlement.divisions["b"]) == {d.origin for name in "bc" for d in domains[name]}
    assert settlement.fates["c"] == "merged into b: 104000 training tokens, 200000 are needed"


def test_a_chain_of_small_domains_ends_at_the_first_that_stands() -> None:
    domains = {"a": documents("a", count=100), "b": documents("b", count=3), "c": documents("c", count=2)}
    settlement = settle(domains, neighbours={"c": "b", "b": "a"}, minimum_tokens=1)
    assert list(settlement.divisions) == ["a"]
    assert origins_of(settlement.divisions["a"]) == {d.origin for name in "abc" for d in domains[name]}
    assert settlement.fates["b"] == "merged into a: 5 documents with 20000 tokens cannot be held out"


@pytest.mark.parametrize("neighbour", [None, "absent"])
def test_a_small_domain_without_a_neighbour_is_dropped_with_its_numbers(neighbour: str | None) -> None:
    domains = {"a": documents("a", count=100), "b": documents("b", count=3)}
    settlement = settle(domains, neighbours={"b": neighbour, "a": None}, minimum_tokens=1)
    assert list(settlement.divisions) == ["a"]
    assert settlement.fates["b"] == "dropped: 3 documents with 12000 tokens cannot be held out"


def test_a_domain_that_must_stand_by_itself_is_an_error_when_it_cannot() -> None:
    with pytest.raises(DomainTooSmallError, match="domain 'a'"):
        settle({"a": documents("a", count=3)}, neighbours={}, minimum_tokens=0)


def test_merging_makes_no_document_held_out_that_the_tokeniser_was_trained_on() -> None:
    domains = {"a": documents("a", count=100), "b": documents("b", count=15)}
    settlement = settle(domains, neighbours={"b": "a"}, minimum_tokens=1)
    never = {d.origin for name in "ab" for d in domains[name] if d.split == "train"}
    held = settlement.divisions["a"].documents
    origins = {document.origin for document in held["validation"] + held["test"]}
    assert not never & origins
