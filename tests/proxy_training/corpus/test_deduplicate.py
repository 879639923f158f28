"""Copies and near copies are found; what merely shares short lines is not."""

from hypothesis import given
from hypothesis import strategies as st

from proxy_training.corpus.deduplicate import SeenText

LINES = [f"this is long line number {number} of the first document" for number in range(10)]


def test_a_text_is_new_once() -> None:
    seen = SeenText()
    assert [seen.judge("a"), seen.judge("b"), seen.judge("a")] == ["new", "new", "copy"]


def test_a_text_is_a_near_copy_when_more_than_half_of_its_long_lines_were_seen() -> None:
    seen = SeenText()
    seen.judge("\n".join(LINES))
    half = LINES[:4] + [f"a line of its own that nobody else has {number}" for number in range(4)]
    assert seen.judge("\n".join([*half, LINES[4]])) == "near copy"
    assert seen.judge("\n".join(half)) == "new"


def test_order_indentation_and_repetition_do_not_hide_a_near_copy() -> None:
    seen = SeenText()
    seen.judge("\n".join(LINES))
    assert seen.judge("\n".join("    " + line for line in LINES[::-1])) == "near copy"
    own = ["a line of its own that stands there very often indeed"] * 50
    assert seen.judge("\n".join(LINES[:6] + own)) == "near copy"


def test_short_lines_and_a_shared_header_do_not_make_a_near_copy() -> None:
    seen = SeenText()
    seen.judge("\n".join(["}", "return None", *LINES[:3], "first"]))
    assert seen.judge("\n".join(["}", "return None", *LINES[:3], "second"])) == "new"


def test_a_dropped_near_copy_teaches_nothing() -> None:
    seen = SeenText()
    seen.judge("\n".join(LINES))
    own = [f"a line of its own that nobody else has {number}" for number in range(5)]
    assert seen.judge("\n".join(LINES[:6] + own)) == "near copy"
    assert seen.judge("\n".join(own)) == "new"


@given(st.lists(st.text(max_size=40), max_size=8))
def test_a_text_asked_twice_is_never_new_twice(texts: list[str]) -> None:
    seen = SeenText()
    for text in texts:
        seen.judge(text)
    assert all(seen.judge(text) != "new" for text in texts)
