"""What all figures share: one colour per domain, units on axes, names that cannot smuggle markup.

Colours are Okabe and Ito's palette, which people with any colour vision tell apart, then the same hues
lighter and darker. Backgrounds are transparent and text has no colour of its own, so that a page can show
a figure in a light or a dark theme.
"""

import html
from collections.abc import Sequence

import plotly.graph_objects as go

from mixlaws.arrays import FloatArray

_BASE = ("#0072B2", "#E69F00", "#009E73", "#CC79A7", "#56B4E9", "#D55E00", "#B8A500", "#7A7A7A")
_LIGHT = ("#7FB8D8", "#F2CF80", "#7FCEB9", "#E5BCD3", "#AAD9F4", "#EAAE80", "#DBD27F", "#BCBCBC")
_DARK = ("#00395A", "#735000", "#004F3A", "#663D54", "#2B5A75", "#6A2F00", "#5C5200", "#3D3D3D")
_COLOURS = (*_BASE, *_LIGHT, *_DARK)
MUTED = "#8A8F98"
ACCENT = "#0072B2"
_UNDER_ACCENT = "rgba(0,114,178,0.18)"


def colours(names: Sequence[str]) -> dict[str, str]:
    """A colour for every domain, by its place in the domain set: the same in every figure."""
    return {name: _COLOURS[i % len(_COLOURS)] for i, name in enumerate(names)}


def shown(name: str) -> str:
    """A name as a figure may hold it: plotly reads some markup in texts, and `%{...}` in templates."""
    return html.escape(name, quote=False).replace("%{", "%&#123;")


def add_band(figure: go.Figure, x: FloatArray, interval: FloatArray) -> None:
    """Shade an interval (2, k) over (k,) rising places, to lie under a line in the accent's colour."""
    figure.add_scatter(
        x=[*x, *x[::-1]],
        y=[*interval[1], *interval[0][::-1]],
        mode="lines",  # of few points markers would be drawn as well
        fill="toself",
        fillcolor=_UNDER_ACCENT,
        line={"width": 0},
        hoverinfo="skip",
    )


def styled(figure: go.Figure, *, x: str, y: str, height: int = 360) -> go.Figure:
    """Give a figure its axes' titles and the common looks.

    Args:
        figure: the figure, which is changed.
        x: title of the horizontal axis, with its unit.
        y: title of the vertical axis, with its unit.
        height: in pixels; the width follows the page.
    """
    figure.update_layout(
        height=height,
        margin={"l": 60, "r": 16, "t": 16, "b": 48},
        paper_bgcolor="rgba(0,0,0,0)",
        plot_bgcolor="rgba(0,0,0,0)",
        font={"family": "system-ui, sans-serif", "size": 13},
        hoverlabel={"namelength": -1},
        modebar={"bgcolor": "rgba(0,0,0,0)", "color": MUTED, "activecolor": ACCENT},
        legend={"orientation": "h", "yanchor": "bottom", "y": 1.02, "x": 0},
        template="none",
    )
    grid = {"gridcolor": "rgba(128,128,128,0.25)", "zeroline": False, "linecolor": MUTED}
    figure.update_xaxes(title=x, automargin=True, **grid)
    figure.update_yaxes(title=y, automargin=True, **grid)
    return figure
