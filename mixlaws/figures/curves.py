"""Loss curves of several runs in one figure: what each observed at its steps."""

from collections.abc import Sequence

import plotly.graph_objects as go

from mixlaws.arrays import FloatArray
from mixlaws.figures.style import colours, shown, styled

_FEW = 30  # observations: a line through fewer shows each of them as a point


def curves(
    runs: Sequence[str], steps: Sequence[FloatArray], values: Sequence[FloatArray], *, value_name: str
) -> go.Figure:
    """Draw a curve for each run.

    Args:
        runs: (n,) what they are called; two may be called the same.
        steps: (n,) of (k_i,) rising optimiser steps.
        values: (n,) of (k_i,) held-out values at them, nats per token.
        value_name: what the values are.
    """
    figure = go.Figure()
    by_place = colours([str(place) for place in range(len(runs))]).values()
    for run, colour, x, y in zip(runs, by_place, steps, values, strict=True):
        figure.add_scatter(
            x=x.tolist(),
            y=y.tolist(),
            mode="lines+markers" if len(x) < _FEW else "lines",
            line={"width": 1.8, "color": colour},
            marker={"size": 6},
            name=shown(run),
            showlegend=True,
            hovertemplate="step %{x}: %{y:.4f}<extra>" + shown(run) + "</extra>",
        )
    return styled(figure, x="optimiser step", y=f"{shown(value_name)}, nats per token")
