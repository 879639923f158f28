"""Whether intervals hold as many held-out runs as they say."""

import plotly.graph_objects as go

from mixlaws.arrays import FloatArray
from mixlaws.figures.style import ACCENT, MUTED, add_band, styled


def calibration(levels: FloatArray, shares: FloatArray, chance: FloatArray) -> go.Figure:
    """Draw the share of runs that intervals held against what they were to hold.

    Args:
        levels: (k,) rising levels of intervals.
        shares: (k,) shares of held-out values within them; below the dotted line a fit is too sure.
        chance: (2, k) where right intervals would lie by chance, drawn as a band.
    """
    figure = go.Figure()
    add_band(figure, levels, chance)
    figure.add_scatter(
        x=[0, 1], y=[0, 1], mode="lines", line={"color": MUTED, "dash": "dot"}, hoverinfo="skip"
    )
    figure.add_scatter(
        x=levels,
        y=shares,
        mode="lines+markers",
        line={"color": ACCENT, "width": 2},
        hovertemplate="of %{x:.0%} intervals: %{y:.1%}<extra></extra>",
    )
    figure.update_layout(showlegend=False)
    figure.update_xaxes(tickformat=".0%", range=[0, 1])
    figure.update_yaxes(tickformat=".0%", range=[0, 1.02])
    return styled(figure, x="level of intervals, share of runs", y="share of runs that they held")
