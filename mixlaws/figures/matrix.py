"""A scatter matrix of runs: every pair of some shares and losses, coloured by one value.

Pairs stand below the diagonal, each once, so that every column and every row has one axis. The last row is
the value itself: how it depends on each share is seen by place as well as by colour.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import combinations
from typing import Any

import numpy as np
import plotly.graph_objects as go

from mixlaws.arrays import FloatArray
from mixlaws.figures.style import MUTED, shown, styled
from mixlaws.figures.triangle import SCALE, with_unit

MOST_AXES = 6  # with the value: more panels are too small to be read
_PANEL = 130  # pixels
_REST = 80
_GAP = 0.03  # of a panel's place
_LONGEST = 18  # letters of a name beside a panel; the whole name is told under the mouse
_DIGITS = 5  # more than a screen shows
_LOSS = "nats per token"


@dataclass(frozen=True, eq=False)
class _Column:
    """What one axis shows: (n,) numbers of runs, and how they are told."""

    name: str
    unit: str
    numbers: FloatArray

    def told(self, letter: str) -> str:
        """A number under the mouse."""
        return f"{shown(self.name)}: %{{{letter}:{'.3f' if self.unit == _LOSS else '.1%'}}}"

    @property
    def title(self) -> str:
        cut = self.name if len(self.name) <= _LONGEST else f"{self.name[: _LONGEST - 1]}…"
        return f"{shown(cut)}<br>{self.unit}"


def matrix(
    domains: Sequence[str],
    weights: FloatArray,
    targets: Sequence[str],
    losses: FloatArray,
    values: FloatArray,
    *,
    value_name: str = "objective",
) -> go.Figure:
    """Draw every pair of columns of runs.

    Args:
        domains: names of axis d: those that are drawn, and not all of a study.
        weights: (n, d) shares of them.
        targets: names of axis t, likewise.
        losses: (n, t) losses on them, nats per token; NaN where a run is not finished.
        values: (n,) value that colours runs, nats per token; NaN likewise. It is the last axis.
        value_name: what the values are.
    """
    columns = [
        *(_Column(name, "share", row) for name, row in zip(domains, weights.T, strict=True)),
        *(_Column(name, _LOSS, row) for name, row in zip(targets, losses.T, strict=True)),
        _Column(value_name, _LOSS, values),
    ]
    figure = styled(go.Figure(), x="", y="", height=_REST + _PANEL * max(len(columns) - 1, 2))
    for rows, colour in _looks(values):
        for left, below in combinations(range(len(columns)), 2):
            _add_panel(figure, columns, left, below, rows, colour)
    _lay_out(figure, columns)
    bar = {"orientation": "h", "x": 1, "xanchor": "right", "y": 1, "yanchor": "top", "len": 0.45}
    title = {**with_unit(value_name), "side": "top"}
    figure.update_layout(
        coloraxis={"colorscale": SCALE, "colorbar": {**bar, "thickness": 14, "title": title}},
        showlegend=False,
    )
    return figure


def _looks(values: FloatArray) -> Iterator[tuple[np.ndarray[tuple[int], np.dtype[np.int64]], dict[str, Any]]]:
    """Rows that are not finished and rows that are, with their colours; the best lie on top."""
    known = np.isfinite(values)
    yield np.flatnonzero(~known), {"color": MUTED}
    ranked = np.flatnonzero(known)[np.argsort(-values[known], kind="stable")]
    yield ranked, {"color": values[ranked].round(_DIGITS), "coloraxis": "coloraxis"}


def _add_panel(
    figure: go.Figure,
    columns: Sequence[_Column],
    left: int,
    below: int,
    rows: np.ndarray[tuple[int], np.dtype[np.int64]],
    colour: dict[str, Any],
) -> None:
    x, y = columns[left], columns[below]
    if np.isfinite(x.numbers[rows] + y.numbers[rows]).any():
        figure.add_scatter(
            x=x.numbers[rows].round(_DIGITS),
            y=y.numbers[rows].round(_DIGITS),
            xaxis=f"x{left + 1}",
            yaxis=f"y{below}",
            mode="markers",
            name=f"{shown(x.name)} and {shown(y.name)}",
            marker={"size": 5, "opacity": 0.8, **colour},
            hovertemplate=f"{x.told('x')}<br>{y.told('y')}<extra></extra>",
        )


def _lay_out(figure: go.Figure, columns: Sequence[_Column]) -> None:
    """Give every column but the last a horizontal axis at the foot, and all but the first a vertical one."""
    panels = len(columns) - 1
    look = {**figure.layout.xaxis.to_plotly_json(), "automargin": True}
    for place in range(panels):
        span = [(place + _GAP) / panels, (place + 1 - _GAP) / panels]
        across, up = columns[place], columns[place + 1]
        text = {"font": {"size": 12}}
        layout = {
            f"xaxis{place + 1}": {**look, "domain": span, "anchor": f"y{panels}", "nticks": 4,
                                  "title": {**text, "text": across.title}, "tickformat": _ticks(across)},
            f"yaxis{place + 1}": {**look, "domain": [1 - span[1], 1 - span[0]], "anchor": "x", "nticks": 4,
                                  "title": {**text, "text": up.title}, "tickformat": _ticks(up)},
        }  # fmt: skip
        figure.update_layout(layout)


def _ticks(column: _Column) -> str:
    return "" if column.unit == _LOSS else ".0%"
