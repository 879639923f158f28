"""Training losses of a live job over its steps, one line for each domain."""

from collections.abc import Sequence

import numpy as np
import plotly.graph_objects as go

from mixlaws.arrays import FloatArray
from mixlaws.figures.style import colours, shown, styled

_MOST_POINTS = 400  # of a line: more than a screen shows


def losses(domains: Sequence[str], steps: Sequence[int], sums: FloatArray, tokens: FloatArray) -> go.Figure:
    """Draw mean losses; neighbouring reports are added up where there are more than a screen can show.

    Args:
        domains: names of axis d.
        steps: (n,) last step of each report, rising.
        sums: (n, d) summed losses, nats; what is not finite is left out.
        tokens: (n, d) tokens behind them; 0 where a domain was not drawn.
    """
    figure = go.Figure()
    groups = np.array_split(np.arange(len(steps)), min(len(steps), _MOST_POINTS)) if len(steps) else []
    finite = np.isfinite(sums)
    counted, summed = np.where(finite, tokens, 0), np.where(finite, sums, 0)
    added = [summed[group].sum(axis=0) for group in groups]
    counts = [counted[group].sum(axis=0) for group in groups]
    for d, (domain, colour) in enumerate(colours(domains).items()):
        points = [
            (steps[group[-1]], total[d] / count[d])
            for group, total, count in zip(groups, added, counts, strict=True)
            if count[d] > 0
        ]
        figure.add_scatter(
            x=[x for x, _ in points],
            y=[y for _, y in points],
            mode="lines",
            line={"width": 1.5, "color": colour},
            name=shown(domain),
            hovertemplate="step %{x}: %{y:.3f}<extra>" + shown(domain) + "</extra>",
        )
    return styled(figure, x="optimiser step", y="training loss, nats per token")
