"""Training losses of a live job over its steps, one line for each domain."""

from collections.abc import Sequence

import numpy as np
import plotly.graph_objects as go

from mixlaws.arrays import FloatArray, IntArray
from mixlaws.figures.style import colours, shown, styled
from mixlaws.figures.thinning import room, thinned

_DIGITS = 4  # of a loss: more than a screen shows


def losses(domains: Sequence[str], steps: Sequence[int] | IntArray, values: FloatArray) -> go.Figure:
    """Draw losses; of more reports than a screen can show, those that make the shape of the line.

    Args:
        domains: names of axis d.
        steps: (n,) last step of each report, rising.
        values: (n, d) mean losses, nats per token; NaN is left out.
    """
    figure = go.Figure()
    at, most = np.asarray(steps, dtype=np.int64), room(len(domains))
    for d, (domain, colour) in enumerate(colours(domains).items()):
        known = np.isfinite(values[:, d])
        x, y = at[known], values[known, d]
        kept = thinned(x, y, most)
        figure.add_scatter(
            x=x[kept].tolist(),
            y=np.round(y[kept].astype(np.float64), _DIGITS).tolist(),
            mode="lines",
            line={"width": 1.5, "color": colour},
            name=shown(domain),
            hovertemplate="step %{x}: %{y:.3f}<extra>" + shown(domain) + "</extra>",
        )
    return styled(figure, x="optimiser step", y="training loss, nats per token")
