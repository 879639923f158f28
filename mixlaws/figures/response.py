"""The objective along one domain's share, the others in proportion."""

import numpy as np
import plotly.graph_objects as go

from mixlaws.arrays import FloatArray
from mixlaws.figures.style import ACCENT, MUTED, add_band, shown, styled


def response(
    domain: str,
    shares: FloatArray,
    objective: FloatArray,
    interval: FloatArray | None = None,
    *,
    base: float | None = None,
    sampled: FloatArray | None = None,
    limits: tuple[float, float] | None = None,
) -> go.Figure:
    """Draw a response; figures of several domains can be compared if they have the same limits.

    Args:
        domain: its name.
        shares: (k,) rising shares of the domain.
        objective: (k,) predicted objective, nats per token.
        interval: (2, k) interval of it, drawn as a band.
        base: share that the base mixture has.
        sampled: (n,) shares of the runs, drawn as ticks at the foot.
        limits: of the vertical axis.
    """
    figure = go.Figure()
    if interval is not None:
        add_band(figure, shares, interval)
    figure.add_scatter(
        x=shares,
        y=objective,
        mode="lines",
        line={"color": ACCENT, "width": 2},
        hovertemplate="%{x:.1%}: %{y:.4f}<extra></extra>",
    )
    if base is not None:
        figure.add_vline(x=base, line={"color": MUTED, "dash": "dot", "width": 1})
    if limits is None:
        everything = np.concatenate([objective, *([] if interval is None else interval)])
        limits = float(everything.min()), float(everything.max())
    foot = limits[0] - 0.04 * (limits[1] - limits[0])
    if sampled is not None:
        figure.add_scatter(
            x=sampled,
            y=[foot] * len(sampled),
            mode="markers",
            marker={"color": MUTED, "symbol": "line-ns-open", "size": 7},
            hovertemplate="a run: %{x:.1%}<extra></extra>",
        )
    figure.update_layout(showlegend=False)
    figure.update_xaxes(tickformat=".0%", rangemode="tozero")
    figure.update_yaxes(range=[foot - 0.02 * (limits[1] - limits[0]), limits[1]])
    return styled(figure, x=f"share of {shown(domain)}", y="objective, nats per token", height=260)
