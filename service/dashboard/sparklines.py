"""Sparklines: a line of a few pixels in a row of a table, drawn here and styled by the style sheet alone."""

import math
from collections.abc import Sequence

from markupsafe import Markup

_WIDTH, _HEIGHT, _MARGIN = 120, 28, 4  # units of the picture, which are pixels where it is not stretched


def sparkline(values: Sequence[float], description: str) -> Markup:
    """A line through (n,) values at even distances, its end marked; nothing for fewer than two.

    Args:
        values: finite numbers, in their order; the lowest touches the bottom, the highest the top.
        description: what they are, for those who cannot see it.
    """
    drawn = [value for value in values if math.isfinite(value)]
    if len(drawn) < 2:
        return Markup("")
    low, spread = min(drawn), max(drawn) - min(drawn)
    points = [
        (
            round(_MARGIN + (_WIDTH - 2 * _MARGIN) * at / (len(drawn) - 1), 1),
            round(
                _HEIGHT - _MARGIN - (_HEIGHT - 2 * _MARGIN) * ((value - low) / spread if spread else 0.5), 1
            ),
        )
        for at, value in enumerate(drawn)
    ]
    line = " ".join(f"{x},{y}" for x, y in points)
    return Markup(
        '<svg class="spark" viewBox="0 0 {w} {h}" width="{w}" height="{h}" role="img" aria-label="{label}">'
        '<title>{label}</title><polyline points="{line}"/><circle cx="{x}" cy="{y}" r="2.5"/></svg>'
    ).format(w=_WIDTH, h=_HEIGHT, label=description, line=line, x=points[-1][0], y=points[-1][1])
