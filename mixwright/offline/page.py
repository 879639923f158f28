"""A page of HTML that needs no network: what every such page is made of."""

import html
from collections.abc import Sequence
from pathlib import Path

import plotly.graph_objects as go

_STYLE = """
:root { color-scheme: light; --line: #d5d8dd; --dim: #5b6069; }
body { font: 16px/1.5 system-ui, sans-serif; max-width: 72rem; margin: 1.5rem auto; padding: 0 1rem; }
h1, h2 { line-height: 1.2; } h2 { margin-top: 2.5rem; }
p { max-width: 46rem; } .dim { color: var(--dim); }
.note { border-left: 3px solid #E69F00; padding-left: .7rem; }
.verdict { font-size: 1.15rem; font-weight: 600; }
.scroll { overflow-x: auto; }
table { border-collapse: collapse; font-variant-numeric: tabular-nums; }
td, th { padding: .25rem .8rem; text-align: right; border-bottom: 1px solid var(--line); }
th { vertical-align: bottom; color: var(--dim); font-weight: 600; }
th:first-child, td:first-child { text-align: left; padding-left: 0; }
td:first-child { overflow-wrap: break-word; min-width: 7rem; }
td:not(:first-child) { white-space: nowrap; }
tr.total td { font-weight: 600; border-bottom: none; }
@media (max-width: 32rem) { td, th { padding: .25rem .45rem; font-size: .9rem; } }
.figures { display: grid; gap: 1rem; }
.figures { grid-template-columns: repeat(auto-fill, minmax(min(20rem, 100%), 1fr)); }
.figures > div, .figure { min-width: 0; }
"""


class Page:
    """Parts of a page in their order; texts are escaped, whatever names they hold."""

    def __init__(self, title: str) -> None:
        self._title = html.escape(title)
        self._parts: list[str] = []
        self._has_library = False

    def heading(self, text: str) -> None:
        """A heading of a section."""
        self._parts.append(f"<h2>{html.escape(text)}</h2>")

    def sentence(self, text: str, kind: str = "") -> None:
        """A paragraph: plain, or a `verdict`, a `note`, or `dim`."""
        self._parts.append(f'<p class="{kind}">{html.escape(text)}</p>')

    def table(self, heads: Sequence[str], rows: Sequence[Sequence[str]], *, total: bool = False) -> None:
        """A table of names and numbers, which scrolls by itself where the page is narrow."""
        body = [_row("td", row, total=total and row is rows[-1]) for row in rows]
        self._parts.append(f'<div class="scroll"><table>{_row("th", heads)}{"".join(body)}</table></div>')

    def figure(self, figure: go.Figure) -> None:
        """A figure over the whole width."""
        self._parts.append(f'<div class="figure">{self._drawn(figure)}</div>')

    def figures(self, figures: Sequence[go.Figure]) -> None:
        """Small figures, as many side by side as there is room for."""
        drawn = "".join(f"<div>{self._drawn(figure)}</div>" for figure in figures)
        self._parts.append(f'<div class="figures">{drawn}</div>')

    def write(self, path: Path) -> None:
        """Write the page."""
        head = (
            '<!doctype html>\n<html lang="en"><head><meta charset="utf-8">'
            '<meta name="viewport" content="width=device-width, initial-scale=1">'
            f"<title>{self._title}</title><style>{_STYLE}</style></head><body><h1>{self._title}</h1>"
        )
        path.write_text("\n".join([head, *self._parts, "</body></html>\n"]), encoding="utf-8")

    def _drawn(self, figure: go.Figure) -> str:
        text: str = figure.to_html(
            full_html=False,
            include_plotlyjs=not self._has_library,
            config={"displaylogo": False, "responsive": True, "modeBarButtons": [["toImage"]]},
        )
        self._has_library = True
        return text


def _row(cell: str, texts: Sequence[str], *, total: bool = False) -> str:
    # A long name may be broken after its underscores, and nowhere else.
    name, *others = (html.escape(text) for text in texts)
    cells = "".join(f"<{cell}>{text}</{cell}>" for text in (name.replace("_", "_<wbr>"), *others))
    return f'<tr class="total">{cells}</tr>' if total else f"<tr>{cells}</tr>"
