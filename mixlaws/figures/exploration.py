"""Predicted targets of a mixture that somebody moves, beside those of the prior and of the uniform one."""

from collections.abc import Mapping, Sequence

import numpy as np
import plotly.graph_objects as go

from mixlaws.arrays import FloatArray
from mixlaws.figures.style import ACCENT, MUTED, shown, styled

_LOOKS = ((MUTED, "line-ns-open"), ("#E69F00", "diamond"), (ACCENT, "circle"))
MOVED = "moved"  # what the page's script knows the trace of the last mixture by
_ROW, _LOW_ROW = 44, 28  # pixels for each target, and where there are many
_MANY = 12
_REST = 130


def exploration(
    targets: Sequence[str], mixtures: Mapping[str, tuple[FloatArray, FloatArray | None]]
) -> go.Figure:
    """Draw by how much predicted targets differ from those of the first mixture.

    Args:
        targets: names of axis t.
        mixtures: (t,) predictions and half widths of their 95 % intervals, nats per token, by name of the
            mixture: first the one to compare with, last the one that is moved. At most three.
    """
    reference = next(iter(mixtures.values()))[0]
    figure = go.Figure()
    for (name, (predicted, half_width)), (colour, symbol) in zip(
        mixtures.items(), _LOOKS[-len(mixtures) :], strict=True
    ):
        width = np.zeros(len(targets)) if half_width is None else half_width
        figure.add_scatter(
            x=(predicted - reference).tolist(),
            y=[shown(target) for target in targets],
            mode="markers",
            orientation="h",
            name=shown(name),
            meta=MOVED if name == list(mixtures)[-1] else "",
            marker={"color": colour, "symbol": symbol, "size": 10, "line": {"width": 2, "color": colour}},
            error_x={
                "type": "data",
                "array": width.tolist(),
                "color": colour,
                "thickness": 1.5,
                "width": 3,
                "visible": half_width is not None,
            },
            hovertemplate="%{y}: %{x:+.3f}<extra>" + shown(name) + "</extra>",
        )
    figure.update_layout(scattermode="group", scattergap=0.3)
    height = _REST + (_ROW if len(targets) <= _MANY else _LOW_ROW) * len(targets)
    styled(figure, x="change, nats per token", y="target", height=height)
    figure.update_xaxes(zeroline=True, zerolinecolor=MUTED, zerolinewidth=1)
    figure.update_yaxes(type="category", autorange="reversed", title_standoff=14)
    return figure
