"""Names and arrays meet in a DomainSet: order, completeness, safe names."""

import numpy as np
import pytest

from mixlaws.domains import DomainSet, canonical_name
from mixlaws.errors import InvalidInputError, MissingDomainError, UnknownDomainError

DOMAINS = DomainSet(("web", "code", "books"), (70, 20, 10))


def test_values_are_ordered_by_the_set_and_not_by_the_mapping() -> None:
    assert DOMAINS.to_array({"books": 3, "web": 1, "code": 2}).tolist() == [1, 2, 3]
    assert DOMAINS.to_mapping(np.array([1.0, 2.0, 3.0])) == {"web": 1, "code": 2, "books": 3}


def test_an_unknown_domain_is_refused_with_its_nearest_name() -> None:
    with pytest.raises(UnknownDomainError, match=r"unknown domain 'boks': did you mean 'books'\?"):
        DOMAINS.to_array({"web": 1, "code": 1, "boks": 1})


def test_a_missing_domain_is_an_error_unless_a_value_for_it_is_given() -> None:
    with pytest.raises(MissingDomainError, match="'code', 'books'"):
        DOMAINS.to_array({"web": 1})
    assert DOMAINS.to_array({"web": 1}, missing=0).tolist() == [1, 0, 0]


def test_the_natural_mixture_is_the_share_of_tokens() -> None:
    assert DOMAINS.natural == pytest.approx([0.7, 0.2, 0.1])


def test_names_equal_in_unicode_normal_form_are_one_name() -> None:
    composed, decomposed = "caf\u00e9", "cafe\u0301"
    assert canonical_name(decomposed) == composed
    with pytest.raises(InvalidInputError, match="named twice"):
        DomainSet((composed, decomposed), (1, 1))


@pytest.mark.parametrize("name", ["", "  ", "a\u202eb", "a\x00b", "a\u200bb", "x" * 201, "a\nb"])
def test_names_that_cannot_be_shown_safely_are_refused(name: str) -> None:
    with pytest.raises(InvalidInputError):
        DomainSet((name,), (1,))


@pytest.mark.parametrize("tokens", [0, -5])
def test_a_domain_needs_tokens(tokens: int) -> None:
    with pytest.raises(InvalidInputError, match=f"{tokens} tokens"):
        DomainSet(("web",), (tokens,))


def test_a_name_is_found_however_its_accents_are_encoded() -> None:
    domains = DomainSet(("caf\u00e9", "web"), (1, 2))
    assert domains.to_array({"cafe\u0301": 3, "web": 4}).tolist() == [3, 4]
    with pytest.raises(InvalidInputError, match="has two values"):
        domains.to_array({"cafe\u0301": 3, "caf\u00e9": 5, "web": 4})


@pytest.mark.parametrize("odd", ["\u202e", "\u2066", "\u2028", "\u2029", "\x00"])
def test_a_name_that_cannot_be_shown_safely_is_refused(odd: str) -> None:
    with pytest.raises(InvalidInputError, match="invisible or control"):
        canonical_name(f"a{odd}b")
