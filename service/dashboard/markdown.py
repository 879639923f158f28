"""Markdown that people wrote, as HTML that shows it and does nothing else.

HTML in it is shown as text. There are no images, which would ask other hosts for them, no styles, no
identifiers, and no links but to web pages, to mail and to places of this site; what else would be a link
stays as it was written. Headings begin below those of the page around them.
"""

import re
from collections.abc import Sequence
from functools import lru_cache
from typing import Any

from markdown_it import MarkdownIt
from markdown_it.token import Token
from markupsafe import Markup

_KEPT = 64  # texts: a page that is looked at again is not parsed again
_LINKS = re.compile(r"https?://|mailto:|#|/(?![/\\])", re.IGNORECASE)
_HEADINGS_BELOW = 2
_SMALLEST_HEADING = 6


@lru_cache(maxsize=_KEPT)
def markdown(text: str) -> Markup:
    """Markdown as HTML.

    Args:
        text: what somebody wrote; nothing in it is trusted.
    """
    tokens = _parser.parse(text)
    for token in tokens:
        _tame(token)
    return Markup(_parser.renderer.render(tokens, _parser.options, {}))  # noqa: S704 - escaped by the parser


def _tame(token: Token) -> None:
    for inner in token.children or []:
        _tame(inner)
    if token.type in {"heading_open", "heading_close"}:
        token.tag = f"h{min(int(token.tag[1:]) + _HEADINGS_BELOW, _SMALLEST_HEADING)}"
    if token.type == "link_open":
        token.attrSet("rel", "noreferrer nofollow")
    # A column is aligned by a style, which the policy of our pages forbids.
    if "right" in str(token.attrs.pop("style", "")):
        token.attrSet("class", "n")


def _scrolled(_renderer: Any, tokens: Sequence[Token], at: int, _options: Any, _env: Any) -> str:
    """A table in a region that scrolls, by keys as well, where it is wider than the screen."""
    if tokens[at].nesting < 0:
        return "</table></div>\n"
    return '<div class="scroll" role="region" tabindex="0" aria-label="table"><table>\n'


def _make_parser() -> MarkdownIt:
    parser = MarkdownIt("js-default", {"html": False, "linkify": False, "typographer": False}).disable(
        "image"
    )
    parser.validateLink = lambda url: _LINKS.match(url) is not None  # type: ignore[method-assign]
    for name in ("table_open", "table_close"):
        parser.add_render_rule(name, _scrolled)
    return parser


_parser = _make_parser()
