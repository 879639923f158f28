"""A trade-off: what mixtures are predicted to give of one thing, and what they take of another."""

from collections.abc import Mapping, Sequence

import numpy as np
import plotly.graph_objects as go

from mixlaws.arrays import FloatArray
from mixlaws.figures.style import ACCENT, MUTED, shown, styled
from mixlaws.proposers.pareto import dominated

# Of what is compared, in its order: the prior, the uniform mixture, a mixture that was chosen, rules.
_LOOKS = (
    (MUTED, "square"), ("#E69F00", "diamond"), ("#009E73", "star"), ("#CC79A7", "cross"), ("#D55E00", "x"),
    ("#56B4E9", "triangle-up"), ("#B8A500", "hexagon"), ("#7A7A7A", "pentagon"),
)  # fmt: skip
_SIDES = ("x", "y")


def front(
    axes: Sequence[str],
    found: FloatArray,
    widths: FloatArray,
    others: Mapping[str, FloatArray],
    *,
    labels: Sequence[str],
) -> go.Figure:
    """Draw mixtures by two predictions; those that no other one beats on both are joined by a line.

    Args:
        axes: names of the two things that are traded, lower is better.
        found: (n, 2) predictions of proposed mixtures, nats per token.
        widths: (n, 2) half widths of their 95 % intervals; NaN where none is known.
        others: (2, 2) by name of a mixture to compare with: its predictions, and their half widths.
        labels: (n,) what the proposed mixtures are called.
    """
    best = np.flatnonzero(~dominated(found))
    best = best[np.argsort(found[best, 0], kind="stable")]
    rest = np.setdiff1d(np.arange(len(found)), best)
    figure = go.Figure()
    for rows, name, colour, mode in (
        (rest, "proposals that another one beats", MUTED, "markers"),
        (best, "proposals that none beats", ACCENT, "lines+markers"),
    ):
        if len(rows):
            _add(figure, name, found[rows], widths[rows], colour, [labels[at] for at in rows], mode=mode)
    for number, (name, (place, width)) in enumerate(others.items()):
        colour, symbol = _LOOKS[number % len(_LOOKS)]
        _add(figure, name, place[None, :], width[None, :], colour, [name], symbol=symbol)
    x, y = (f"{shown(axis)},<br>predicted nats per token" for axis in axes)
    return styled(figure, x=x, y=y, height=460)


def _add(
    figure: go.Figure,
    name: str,
    places: FloatArray,
    widths: FloatArray,
    colour: str,
    labels: Sequence[str],
    *,
    mode: str = "markers",
    symbol: str = "circle",
) -> None:
    bars = {
        f"error_{side}": {
            "type": "data",
            "array": np.nan_to_num(widths[:, at]).tolist(),
            "visible": bool(np.isfinite(widths[:, at]).any()),
            "color": colour,
            "thickness": 1,
            "width": 3,
        }
        for at, side in enumerate(_SIDES)
    }
    figure.add_scatter(
        x=places[:, 0].tolist(),
        y=places[:, 1].tolist(),
        mode=mode,
        name=shown(name),
        marker={"size": 9 if symbol == "circle" else 12, "symbol": symbol, "color": colour},
        line={"color": colour, "width": 1, "dash": "dot"},
        text=[shown(label) for label in labels],
        hovertemplate="%{text}<br>%{x:.3f} and %{y:.3f}<extra></extra>",
        showlegend=True,
        **bars,
    )
