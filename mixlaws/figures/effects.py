"""What each domain does to each target, as a table of colours."""

from collections.abc import Sequence

import numpy as np
import plotly.graph_objects as go

from mixlaws.arrays import FloatArray
from mixlaws.figures.style import shown, styled

_FALLS_BLUE = ((0.0, "#0072B2"), (0.5, "#F4F4F2"), (1.0, "#D55E00"))
_MOST_NUMBERED = 150  # cells that still leave room for a number


def effects(domains: Sequence[str], targets: Sequence[str], changes: FloatArray) -> go.Figure:
    """Draw changes of targets; blue is a loss that falls.

    Args:
        domains: names of axis d.
        targets: names of axis t.
        changes: (d, t) changes of the targets with each domain's share, nats per token; NaN is left blank.
    """
    finite = np.abs(changes[np.isfinite(changes)])
    most = float(finite.max()) if finite.size and finite.max() > 0 else 1.0
    # Numbers as places: two names may look alike to a browser once markup in them is text.
    figure = go.Figure(
        go.Heatmap(
            z=changes.T,
            x=list(range(len(domains))),
            y=list(range(len(targets))),
            customdata=[[[shown(domain), shown(target)] for domain in domains] for target in targets],
            colorscale=_FALLS_BLUE,
            zmin=-most,
            zmax=most,
            xgap=1,
            ygap=1,
            texttemplate="%{z:+.3f}" if changes.size <= _MOST_NUMBERED else None,
            hovertemplate="%{customdata[0]} on %{customdata[1]}: %{z:+.4f} nats<extra></extra>",
            colorbar={"title": {"text": "change, nats per token", "side": "right"}},
        )
    )
    styled(figure, x="domain whose share goes up", y="target", height=160 + 28 * len(targets))
    for update, names in ((figure.update_xaxes, domains), (figure.update_yaxes, targets)):
        update(tickvals=list(range(len(names))), ticktext=[shown(name) for name in names], showgrid=False)
    return figure.update_yaxes(autorange="reversed")
