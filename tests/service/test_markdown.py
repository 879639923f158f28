"""Markdown of people: whatever they write, what comes out shows it and does nothing."""

from html.parser import HTMLParser

import pytest
from hypothesis import given
from hypothesis import strategies as st

from service.dashboard.markdown import markdown

TAGS = {
    "p", "h3", "h4", "h5", "h6", "em", "strong", "s", "code", "pre", "ul", "ol", "li", "blockquote", "hr",
    "br", "a", "div", "table", "thead", "tbody", "tr", "th", "td",
}  # fmt: skip
ATTRIBUTES = {"href", "rel", "title", "class", "start", "role", "tabindex", "aria-label"}
PIECES = [
    "<img src=x onerror=alert(1)>",
    "<script>alert(2)</script>",
    "</textarea>",
    "<svg/onload=alert(3)>",
    "[x](javascript:alert(4))",
    "[x](java\tscript:alert(5))",
    "[x](&#106;avascript:alert(6))",
    "[x]( JaVaScRiPt:alert(7) )",
    "[x](data:text/html;base64,PHNjcmlwdD4=)",
    "[x](vbscript:a)",
    "[x](//evil.example)",
    "[x](/\\evil.example)",
    "<javascript:alert(8)>",
    "![x](http://evil.example/pixel.png)",
    "[x]: javascript:alert(9)",
    '[x](http://a "onmouseover=alert(10)")',
    "[x](http://a'onclick='alert(11))",
    '```"><script>\nalert(12)\n```',
    "| a |\n|--:|\n| <b>1</b> |",
    "# <i>",
    "\n",
    "\n\n",
    "    ",
    "> ",
    "- ",
    "1. ",
    "*",
    "**",
    "`",
    "~~",
    "[",
    "](",
    ")",
]


class Shown(HTMLParser):
    """What a browser would make of it."""

    def __init__(self, html: str) -> None:
        super().__init__(convert_charrefs=True)
        self.tags: set[str] = set()
        self.attributes: list[tuple[str, str | None]] = []
        self.text = ""
        self.feed(str(html))  # a plain text: what is put to markup is escaped
        self.close()

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.add(tag)
        self.attributes += attrs

    def handle_data(self, data: str) -> None:
        self.text += data

    @property
    def links(self) -> list[str]:
        return [value or "" for name, value in self.attributes if name == "href"]


def check(text: str) -> Shown:
    shown = Shown(markdown(text))
    assert shown.tags <= TAGS
    assert {name for name, _ in shown.attributes} <= ATTRIBUTES
    for link in shown.links:
        assert link.lower().startswith(("http://", "https://", "mailto:", "/", "#"))
        assert not link.startswith(("//", "/\\"))
    return shown


@given(st.lists(st.sampled_from(PIECES) | st.text(max_size=8), max_size=12).map("".join))
def test_nothing_that_is_written_does_anything(text: str) -> None:
    check(text)


@pytest.mark.parametrize("piece", [piece for piece in PIECES if "alert" in piece])
def test_what_would_do_something_is_shown_as_text_or_is_the_text_of_a_link(piece: str) -> None:
    shown = check(piece)
    assert "alert" in shown.text or piece.startswith(("[x]:", "[x](http://a"))
    assert all(link.startswith("http://a") for link in shown.links)


def test_what_people_write_is_laid_out() -> None:
    shown = check(
        "# Why\n\nThe *7B* run, ~~or~~ **so**; see [the fit](/fits/1), <https://a.example/x?y=1&z=2>.\n\n"
        "- one\n- two\n\n| a | b |\n|:--|--:|\n| x | 1 |\n\n```python\n1 < 2\n```\n"
    )
    assert {"h3", "em", "s", "strong", "a", "ul", "table", "pre"} <= shown.tags
    assert shown.links == ["/fits/1", "https://a.example/x?y=1&z=2"]
    assert "1 < 2" in shown.text
    assert ("class", "n") in shown.attributes, "numbers are aligned without a style"


def test_a_picture_of_another_host_is_a_link_and_asks_nobody() -> None:
    shown = check("![a curve](https://a.example/curve.png)")
    assert shown.links == ["https://a.example/curve.png"]
    assert "a curve" in shown.text


def test_headings_stay_below_those_of_the_page() -> None:
    assert check("# a\n\n### b\n\n###### c").tags == {"h3", "h5", "h6"}
