"""The mixtures of a sweep: a triangle for three domains, parallel coordinates for more."""

from collections.abc import Sequence

import numpy as np
import plotly.graph_objects as go
from plotly.colors import sample_colorscale

from mixlaws.arrays import FloatArray
from mixlaws.figures.style import MUTED, shown, styled
from mixlaws.figures.triangle import SCALE, triangle, with_unit

_DIGITS = 5  # of a share: more than a screen shows, and a third of a page's size
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
        return triangle(domains, weights, measured, value_name=value_name)
    return _parallel(domains, weights, measured, value_name)


def _parallel(domains: Sequence[str], weights: FloatArray, values: FloatArray, value_name: str) -> go.Figure:
    figure = go.Figure()
    names = [shown(name) for name in domains]
    for rows, colour in _shades(values):
        # One trace holds many lines: None lifts the pen.
        figure.add_scatter(
            x=[x for _ in rows for x in (*names, None)],
            y=[y for row in weights[rows].round(_DIGITS) for y in (*row.tolist(), None)],
            mode="lines+markers",
            line={"color": colour, "width": 1.2},
            marker={"size": 4},
            hovertemplate="%{x}: %{y:.1%}<extra></extra>",
        )
    known = values[np.isfinite(values)]
    if len(known):
        # A point that is nowhere brings the scale of the colours.
        bar = {"title": with_unit(value_name)}
        scale = {"colorscale": SCALE, "cmin": known.min(), "cmax": known.max(), "colorbar": bar}
        figure.add_scatter(x=[None], y=[None], mode="markers", marker={"color": [known.min()], **scale})
    figure.update_layout(showlegend=False)
    figure.update_xaxes(type="category")  # a domain may be called 2024
    figure.update_yaxes(tickformat=".0%", rangemode="tozero")
    return styled(figure, x="domain", y="share of training tokens", height=420)


def _shades(values: FloatArray) -> list[tuple[list[int], str]]:
    """Groups of runs of like value with their colours, worst first, so that the best lines lie on top."""
    known = np.flatnonzero(np.isfinite(values))
    groups: list[tuple[list[int], str]] = []
    if len(known) < len(values):
        groups.append((np.flatnonzero(~np.isfinite(values)).tolist(), MUTED))
    low, high = (values[known].min(), values[known].max()) if len(known) else (0.0, 1.0)
    for part in np.array_split(known[np.argsort(-values[known])], _SHADES):
        if len(part):
            place = (values[part].mean() - low) / (high - low) if high > low else 0.0
            groups.append((part.tolist(), sample_colorscale(SCALE, [float(place)])[0]))
    return groups
