"""Confirmed mixtures against a reference: every seed a point, so that luck can be told from gain."""

from collections.abc import Mapping, Sequence

import plotly.graph_objects as go

from mixlaws.figures.style import ACCENT, MUTED, shown, styled


def confirmation(
    objectives: Mapping[str, Sequence[float]], *, reference: str, noise: float | None
) -> go.Figure:
    """Draw objectives of confirmed mixtures as differences to a reference; to the left is better.

    Args:
        objectives: values by mixture, one for each seed, nats per token.
        reference: the mixture that the others are compared with.
        noise: standard deviation between seeds of one mixture, drawn as a band around the reference.
    """
    centre = sum(objectives[reference]) / len(objectives[reference])
    figure = go.Figure()
    if noise:
        figure.add_vrect(x0=-noise, x1=noise, fillcolor=MUTED, opacity=0.2, line_width=0)
    figure.add_vline(x=0, line={"color": MUTED, "dash": "dot", "width": 1})
    for name, values in objectives.items():
        mean = sum(values) / len(values)
        label = [shown(name)]
        figure.add_scatter(
            x=[value - centre for value in values],
            y=label * len(values),
            mode="markers",
            marker={"color": ACCENT, "size": 8, "opacity": 0.5},
            hovertemplate="%{y}, one seed: %{x:+.4f}<extra></extra>",
        )
        figure.add_scatter(
            x=[mean - centre],
            y=label,
            mode="markers",
            marker={"color": ACCENT, "size": 14, "symbol": "line-ns-open", "line": {"width": 3}},
            hovertemplate="%{y}, mean: %{x:+.4f}<extra></extra>",
        )
    figure.update_layout(showlegend=False)
    figure.update_yaxes(autorange="reversed", type="category")  # a mixture may be called 1
    title = f"objective against {shown(reference)}, nats per token (left is better)"
    styled(figure, x=title, y="mixture", height=120 + 48 * len(objectives))
    return figure.update_layout(margin={"l": 140})
