"""What a fit got wrong on runs that it did not see, by what it predicted for them."""

from collections.abc import Sequence

import numpy as np
import plotly.graph_objects as go

from mixlaws.arrays import FloatArray
from mixlaws.figures.style import ACCENT, MUTED, add_band, shown, styled

_NOISE_BAND = 2.0  # deviations either side: 95 of 100 runs of a fit that knows the truth


def residuals(
    predicted: FloatArray,
    measured: FloatArray,
    *,
    noise: float | None,
    labels: Sequence[str] | None = None,
) -> go.Figure:
    """Draw measured less predicted objectives; a bend in them is what the method's form leaves out.

    Args:
        predicted: (n,) predictions by fits that did not see the run, nats per token.
        measured: (n,) values.
        noise: standard deviation between seeds of one mixture, if it was measured; twice it is shaded.
        labels: (n,) what the runs are called.
    """
    figure = go.Figure()
    ends = predicted[[predicted.argmin(), predicted.argmax()]]
    if noise:
        add_band(figure, ends, noise * _NOISE_BAND * _either_side(len(ends)))
    figure.add_hline(y=0, line={"color": MUTED, "dash": "dot", "width": 1})
    run = "" if labels is None else "%{text}<br>"
    figure.add_scatter(
        x=predicted,
        y=measured - predicted,
        mode="markers",
        marker={"size": 8, "color": ACCENT, "opacity": 0.8},
        text=None if labels is None else [shown(label) for label in labels],
        hovertemplate=run + "predicted %{x:.3f}<br>measured %{y:+.3f} from it<extra></extra>",
    )
    figure.update_layout(showlegend=False)
    return styled(figure, x="predicted objective, nats per token", y="residual, nats per token")


def _either_side(points: int) -> FloatArray:
    return np.stack([-np.ones(points), np.ones(points)])
