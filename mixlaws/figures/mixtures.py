"""The mixtures of a sweep: a triangle for three domains, parallel coordinates for more."""

from collections.abc import Sequence

import numpy as np
import plotly.graph_objects as go
from plotly.colors import sample_colorscale

from mixlaws.arrays import FloatArray
from mixlaws.figures.style import MUTED, shown, styled

_SCALE = "Viridis"
_SHADES = 9  # runs of like value share a trace: a trace each would make a page of a large sweep slow


def mixtures(
    domains: Sequence[str],
    weights: FloatArray,
    values: FloatArray | None = None,
    *,
    value_name: str = "objective",
) -> go.Figure:
    """Draw mixtures, coloured by a value where there is one.

    Args:
        domains: names of axis d.
        weights: (n, d) mixtures.
        values: (n,) value of each run, nats per token; NaN where a run is not finished.
        value_name: what the values are.
    """
    measured = np.full(len(weights), np.nan) if values is None else values
    if len(domains) == 3:
        return _triangle(domains, weights, measured, value_name)
    return _parallel(domains, weights, measured, value_name)


def _triangle(domains: Sequence[str], weights: FloatArray, values: FloatArray, value_name: str) -> go.Figure:
    known = np.isfinite(values)
    figure = go.Figure()
    for rows, marker in (
        (~known, {"color": MUTED, "size": 7}),
        (
            known,
            {
                "color": values[known],
                "colorscale": _SCALE,
                "size": 10,
                "colorbar": {"title": shown(value_name)},
            },
        ),
    ):
        if rows.any():
            a, b, c = weights[rows].T
            figure.add_scatterternary(a=a, b=b, c=c, mode="markers", marker=marker, showlegend=False)
    a, b, c = (shown(name) for name in domains)
    figure.update_layout(
        ternary={
            "aaxis": {"title": a},
            "baxis": {"title": b},
            "caxis": {"title": c},
            "bgcolor": "rgba(0,0,0,0)",
        }
    )
    return styled(figure, x="", y="", height=420)


def _parallel(domains: Sequence[str], weights: FloatArray, values: FloatArray, value_name: str) -> go.Figure:
    figure = go.Figure()
    names = [shown(name) for name in domains]
    for rows, colour, label in _shades(values):
        # One trace holds many lines: None lifts the pen.
        xs = [x for _ in rows for x in (*names, None)]
        ys = [y for row in weights[rows] for y in (*row.tolist(), None)]
        figure.add_scatter(
            x=xs,
            y=ys,
            mode="lines+markers",
            line={"color": colour, "width": 1.2},
            marker={"size": 4},
            name=label,
            hovertemplate="%{x}: %{y:.1%}<extra></extra>",
        )
    figure.update_yaxes(tickformat=".0%", rangemode="tozero")
    styled(figure, x="domain", y="share of training tokens", height=420)
    return figure.update_layout(legend={"title": f"{shown(value_name)}, nats per token"})


def _shades(values: FloatArray) -> list[tuple[list[int], str, str]]:
    """Groups of runs of like value, worst first, so that the best lines lie on top."""
    known = np.flatnonzero(np.isfinite(values))
    groups: list[tuple[list[int], str, str]] = []
    if len(known) < len(values):
        groups.append((np.flatnonzero(~np.isfinite(values)).tolist(), MUTED, "not finished"))
    parts = [part for part in np.array_split(known[np.argsort(-values[known])], _SHADES) if len(part)]
    places = np.linspace(1, 0, len(parts)) if len(parts) > 1 else [0.0]
    for part, place in zip(parts, places, strict=True):
        low, high = values[part].min(), values[part].max()
        label = f"{low:.3f}" if f"{low:.3f}" == f"{high:.3f}" else f"{low:.3f} to {high:.3f}"
        groups.append((part.tolist(), sample_colorscale(_SCALE, [float(place)])[0], label))
    return groups
