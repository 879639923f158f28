"""What a live job really read of each domain, beside what its weights stood for."""

from collections.abc import Sequence

import plotly.graph_objects as go

from mixlaws.figures.style import colours, shown, styled

_EDGE = "#24292F"  # seen on every bar, and on light and dark pages by the white within


def shares(
    domains: Sequence[str], realised: Sequence[float | None], intended: Sequence[float | None]
) -> go.Figure:
    """Draw realised shares as bars and intended ones as diamonds on them.

    Args:
        domains: names of axis d.
        realised: (d,) shares of the tokens that were read; None before the first.
        intended: (d,) shares that the weights in force stood for; None before the first.
    """
    figure = go.Figure()
    names = [shown(domain) for domain in domains]
    told = [
        "nothing reported yet" if real is None or meant is None
        else f"realised {real:.2%}, intended {meant:.2%}, {100 * (real - meant):+.2f} points"
        for real, meant in zip(realised, intended, strict=True)
    ]  # fmt: skip
    hover = {"text": told, "textposition": "none", "hovertemplate": "%{y}: %{text}<extra></extra>"}
    figure.add_bar(
        x=realised,
        y=names,
        orientation="h",
        name="realised",
        marker={"color": list(colours(domains).values())},
        **hover,
    )
    figure.add_scatter(
        x=intended,
        y=names,
        mode="markers",
        name="intended",
        marker={"symbol": "diamond", "size": 12, "color": "#FFFFFF", "line": {"color": _EDGE, "width": 2}},
        text=told,
        hovertemplate="%{y}: %{text}<extra></extra>",
    )
    figure.update_yaxes(type="category", autorange="reversed", showgrid=False)
    figure.update_xaxes(tickformat=".0%", rangemode="tozero")
    figure.update_layout(showlegend=False, bargap=0.35)
    styled(figure, x="share of training tokens", y="domain", height=130 + 28 * len(domains))
    return figure.update_yaxes(title_standoff=12)  # names are longer than numbers
