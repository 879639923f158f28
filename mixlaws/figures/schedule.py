"""Weights of a live job over its steps, as stacked areas that change where a version takes hold."""

from collections.abc import Sequence

import numpy as np
import plotly.graph_objects as go

from mixlaws.arrays import FloatArray
from mixlaws.figures.style import colours, shown, styled
from mixlaws.figures.thinning import room, thinned_together

_DIGITS = 4  # of a share: more than a screen shows


def schedule(
    domains: Sequence[str],
    steps: Sequence[int],
    weights: FloatArray,
    *,
    end: int,
    reported: int | None = None,
) -> go.Figure:
    """Draw a schedule; of more stages than a screen can show, those that make the shape of the areas.

    Args:
        domains: names of axis d.
        steps: (n,) first step of each stage, rising.
        weights: (n, d) weights of the stages.
        end: step up to which the last stage is drawn.
        reported: last step that the trainer reported; beyond it lies the plan.
    """
    figure = go.Figure()
    kept = thinned_together(np.asarray(steps, dtype=np.int64), weights, room(len(domains)))
    xs = [*(int(steps[at]) for at in kept), max(end, int(steps[-1]) + 1)]
    drawn = np.round(weights[[*kept, -1]], _DIGITS)
    for d, (domain, colour) in enumerate(colours(domains).items()):
        figure.add_scatter(
            x=xs,
            y=drawn[:, d].tolist(),
            mode="lines",
            line={"width": 0.5, "color": colour, "shape": "hv"},
            stackgroup="weights",
            name=shown(domain),
            hovertemplate="step %{x}: %{y:.1%}<extra>" + shown(domain) + "</extra>",
        )
    if reported is not None and reported >= 0:
        # The name of the line must not leave the plot.
        anchor = "right" if reported > (xs[0] + xs[-1]) / 2 else "left"
        figure.add_vline(
            x=reported,
            line={"dash": "dot", "width": 1.5},
            annotation={
                "text": "reported",
                "xanchor": anchor,
                "y": 1,
                "yanchor": "bottom",
            },
        )
    figure.update_yaxes(tickformat=".0%", range=[0, 1])
    return styled(figure, x="optimiser step", y="share of samples")
