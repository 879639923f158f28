"""A lineage knows what every change touched, by whole names, and survives being saved."""

import json

import pytest

from mixlaws.domains import DomainSet
from mixlaws.errors import InvalidInputError, StateError, UnknownDomainError
from mixlaws.reuse.lineage import Change, Lineage

START = Lineage((DomainSet.from_tokens({"web": 100, "code": 50, "code_v1": 20, "books": 30}),))


def test_each_operator_leaves_alone_what_it_does_not_name() -> None:
    assert START.add({"math": 5}).unaffected() == ("web", "code", "code_v1", "books")
    assert START.remove("code").unaffected() == ("web", "code_v1", "books")
    assert START.partition("web", {"web/news": 60, "web/rest": 40}).unaffected() == (
        "code", "code_v1", "books",
    )  # fmt: skip
    assert START.revise("code", 45).unaffected() == ("web", "code_v1", "books")


def test_parts_take_the_place_of_their_domain() -> None:
    split = START.partition("web", {"web/news": 60, "web/rest": 40}).current
    assert split.names == ("web/news", "web/rest", "code", "code_v1", "books")
    assert split.tokens == (60, 40, 50, 20, 30)
    with pytest.raises(InvalidInputError, match="hold 90 tokens, the domain 100"):
        START.partition("web", {"web/news": 60, "web/rest": 30})


def test_changes_add_up_and_can_be_counted_from_any_version() -> None:
    lineage = START.add({"math": 5}).revise("books", 31).remove("web")
    assert lineage.unaffected() == ("code", "code_v1")
    assert lineage.unaffected(since=1) == ("code", "code_v1", "math")
    assert lineage.unaffected(since=3) == lineage.current.names
    with pytest.raises(InvalidInputError, match="use 0 to 3"):
        lineage.unaffected(since=4)


def test_a_domain_that_comes_back_under_its_name_is_another_one() -> None:
    lineage = START.remove("books").add({"books": 30})
    assert lineage.current.tokens[-1] == 30
    assert "books" not in lineage.unaffected()


def test_a_lineage_survives_json_and_refuses_what_contradicts_itself() -> None:
    lineage = START.partition("web", {"a": 1, "b": 99}).revise("a", 2)
    raw = json.loads(json.dumps(lineage.dump()))
    assert Lineage.load(raw) == lineage
    raw["versions"][1]["tokens"][2] += 1
    with pytest.raises(StateError, match="change 0 \\(partition\\) does not name 'code'"):
        Lineage.load(raw)
    with pytest.raises(StateError, match="schema"):
        Lineage.load({})


def test_a_change_that_hides_a_domain_is_refused() -> None:
    with pytest.raises(InvalidInputError, match="does not name 'books'"):
        Lineage(
            (START.current, DomainSet.from_tokens({"web": 100, "code": 50, "code_v1": 20})),
            (Change("remove", (), ()),),
        )


def test_unknown_and_taken_names_are_refused() -> None:
    with pytest.raises(UnknownDomainError, match="did you mean 'code'"):
        START.revise("cod", 1)
    with pytest.raises(InvalidInputError, match="named twice"):
        START.add({"web": 1})
    with pytest.raises(InvalidInputError, match="at least one domain"):
        START.remove("web", "code", "code_v1", "books")
