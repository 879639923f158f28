"""Mixtures in the triangle of three domains, whatever else they hold.

A run lies at s_i / (s_a + s_b + s_c) of its shares s of the three. The rest of the mixture is told by the
size of its point: the area falls with what lies outside the three.
"""

from collections.abc import Sequence

import numpy as np
import plotly.graph_objects as go

from mixlaws.arrays import FloatArray
from mixlaws.figures.style import MUTED, shown, styled

# From the best to the worst: seen on light and on dark paper, and told apart with any colour vision.
SCALE = ("rgb(31,120,209)", "rgb(63,167,150)", "rgb(217,182,74)")
_LARGEST = 10.0  # pixels; a mixture of the three alone
_SMALLEST = 3.0  # a mixture that hardly holds any of them


def triangle(
    domains: Sequence[str],
    weights: FloatArray,
    values: FloatArray,
    *,
    corners: Sequence[str] | None = None,
    value_name: str = "objective",
) -> go.Figure:
    """Draw mixtures by their shares of three domains; those that hold none of the three have no place.

    Args:
        domains: names of axis d.
        weights: (n, d) mixtures.
        values: (n,) value of each run, nats per token; NaN where a run is not finished.
        corners: the three domains; None for a set of three.
        value_name: what the values are.
    """
    named = list(domains if corners is None else corners)
    three = weights[:, [list(domains).index(name) for name in named]]
    held = three.sum(axis=1)
    placed = held > 0
    shares = (three[placed] / held[placed, None]).round(5)
    whole = len(domains) == len(named)
    figure = go.Figure()
    for rows, marker in _markers(values[placed], held[placed], value_name):
        if rows.any():
            a, b, c = shares[rows].T.tolist()
            figure.add_scatterternary(
                a=a,
                b=b,
                c=c,
                customdata=held[placed][rows].round(5).tolist(),
                mode="markers",
                marker=marker,
                showlegend=False,
                hovertemplate=_hover(named, whole=whole),
            )
    axes = {
        f"{corner}axis": {
            "title": {"text": f"{shown(name)}, share", "font": {"size": 12}},
            "tickformat": ".0%",
            "gridcolor": "rgba(128,128,128,0.25)",
            "linecolor": MUTED,
        }
        for corner, name in zip("abc", named, strict=True)
    }
    figure.update_layout(ternary={**axes, "bgcolor": "rgba(0,0,0,0)"})
    styled(figure, x="", y="", height=480)
    # The names of the corners are outside; the scale lies below, where a narrow page has room for it.
    return figure.update_layout(margin={"t": 56, "b": 110, "l": 72, "r": 72})


def with_unit(value_name: str) -> dict[str, str]:
    """The title of a colour bar."""
    return {"text": f"{shown(value_name)}, nats per token", "side": "right"}


def _markers(
    values: FloatArray, held: FloatArray, value_name: str
) -> list[tuple[np.ndarray[tuple[int], np.dtype[np.bool_]], dict[str, object]]]:
    """Rows that are not finished and rows that are, with their looks; the best lie on top."""
    known = np.isfinite(values)
    size = (_SMALLEST + (_LARGEST - _SMALLEST) * np.sqrt(np.minimum(held, 1.0))).round(1)
    title = {**with_unit(value_name), "side": "top"}
    below = {"orientation": "h", "y": -0.2, "yanchor": "top", "thickness": 14, "title": title}
    coloured = {"colorscale": SCALE, "colorbar": below, "line": {"width": 0}}
    return [
        (~known, {"color": MUTED, "size": size[~known].tolist(), "line": {"width": 0}}),
        (known, {"color": values[known].tolist(), "size": size[known].tolist(), **coloured}),
    ]


def _hover(corners: Sequence[str], *, whole: bool) -> str:
    lines = [f"{shown(name)}: %{{{corner}:.1%}}" for corner, name in zip("abc", corners, strict=True)]
    if not whole:
        lines.append("the three hold %{customdata:.1%} of the mixture")
    return "<br>".join(lines) + "<extra></extra>"
