"""Predicted against measured values, on runs that a fit did not see."""

from collections.abc import Collection, Sequence

import numpy as np
import plotly.graph_objects as go

from mixlaws.arrays import FloatArray
from mixlaws.figures.style import ACCENT, MUTED, colours, shown, styled


def prediction(
    targets: Sequence[str],
    measured: FloatArray,
    predicted: FloatArray,
    *,
    labels: Sequence[str] | None = None,
    only: Collection[str] | None = None,
) -> go.Figure:
    """Draw held-out predictions of every target; a perfect fit lies on the line.

    Args:
        targets: names of axis t.
        measured: (n, t) values, nats per token.
        predicted: (n, t) predictions by fits that did not see the run.
        labels: (n,) what the runs are called.
        only: targets that are drawn, in the colours that they have among all; None for every one.
    """
    figure = go.Figure()
    drawn = [t for t, target in enumerate(targets) if only is None or target in only]
    low = float(min(measured[:, drawn].min(), predicted[:, drawn].min()))
    high = float(max(measured[:, drawn].max(), predicted[:, drawn].max()))
    figure.add_scatter(
        x=[low, high], y=[low, high], mode="lines", line={"color": MUTED, "dash": "dot"}, showlegend=False,
        hoverinfo="skip",
    )  # fmt: skip
    names = [shown(label) for label in labels] if labels is not None else None
    palette = colours(targets)
    for t in drawn:
        target = targets[t]
        figure.add_scatter(
            x=measured[:, t],
            y=predicted[:, t],
            mode="markers",
            marker={"color": palette[target], "size": 7, "opacity": 0.8},
            name=shown(target),
            text=names,
            hovertemplate=_hover(names, shown(target)),
        )
    return styled(figure, x="measured, nats per token", y="predicted, nats per token", height=480)


def objective_prediction(
    measured: FloatArray, predicted: FloatArray, *, noise: float | None, labels: Sequence[str] | None = None
) -> go.Figure:
    """Draw held-out predictions of the objective, with the noise of repeated runs as bars.

    Args:
        measured: (n,) objectives, nats per token.
        predicted: (n,) predictions.
        noise: standard deviation between seeds of one mixture, if it was measured.
        labels: (n,) what the runs are called.
    """
    low, high = float(np.min([measured, predicted])), float(np.max([measured, predicted]))
    names = [shown(label) for label in labels] if labels is not None else None
    figure = go.Figure()
    figure.add_scatter(
        x=[low, high], y=[low, high], mode="lines", line={"color": MUTED, "dash": "dot"}, hoverinfo="skip"
    )
    figure.add_scatter(
        x=measured,
        y=predicted,
        mode="markers",
        error_x={
            "type": "constant",
            "value": noise or 0.0,
            "color": MUTED,
            "thickness": 1,
            "visible": bool(noise),
        },
        marker={"size": 8, "color": ACCENT},
        text=names,
        hovertemplate=_hover(names, ""),
    )
    figure.update_layout(showlegend=False)
    return styled(figure, x="measured objective, nats per token", y="predicted objective, nats per token")


def _hover(names: Sequence[str] | None, extra: str) -> str:
    run = "" if names is None else "%{text}<br>"
    return f"{run}measured %{{x:.3f}}<br>predicted %{{y:.3f}}<extra>{extra}</extra>"
