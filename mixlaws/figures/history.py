"""The weights of a live job with what led to them: each version with its reason, and attempts as a fork."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import plotly.graph_objects as go

from mixlaws.figures.style import ACCENT, MUTED, shown
from mixlaws.figures.thinning import room

_LONGEST = 140  # letters of a reason
_MOST_ATTEMPTS = 12  # lanes that can be told apart
_LANE = 16  # pixels
# Parts of the height: where the areas end, and where the marks of versions begin. Between them is room to
# name the line of what was reported.
_AREAS, _MARKS = 0.88, 0.95


@dataclass(frozen=True)
class Change:
    """A version of a schedule.

    Args:
        version: its number.
        step: first step that it holds for.
        reason: who or what chose its weights.
    """

    version: int
    step: int
    reason: str


@dataclass(frozen=True)
class Fork:
    """An attempt.

    Args:
        number: of the attempt.
        from_step: first step of it.
        to_step: last step that it reported; before the first step if it reported none.
    """

    number: int
    from_step: int
    to_step: int


def add_changes(figure: go.Figure, changes: Sequence[Change]) -> go.Figure:
    """Mark versions above the weights, each with its reason on hover.

    Of more versions than there is room for, those that bring another reason stay, and every n-th of the rest.

    Args:
        figure: a schedule, which is changed.
        changes: in rising order of versions.
    """
    told = _telling(changes, room(1))
    others = [at > 0 and told[at].reason != told[at - 1].reason for at in range(len(told))]
    figure.add_scatter(
        x=[change.step for change in told],
        y=[0.5] * len(told),
        yaxis="y2",
        mode="markers",
        showlegend=False,
        name="versions",
        marker={
            "symbol": ["diamond" if other else "line-ns-open" for other in others],
            "size": [9 if other else 7 for other in others],
            "color": [ACCENT if other else MUTED for other in others],
        },
        text=[f"version {change.version}: {shown(_short(change.reason))}" for change in told],
        hovertemplate="%{text}<br>from step %{x}<extra></extra>",
    )
    return figure.update_layout(
        yaxis={"domain": [0, _AREAS]},
        yaxis2={"domain": [_MARKS, 1], "range": [0, 1], "visible": False, "fixedrange": True},
    )


def add_forks(figure: go.Figure, forks: Sequence[Fork]) -> go.Figure:
    """Draw attempts as lanes below the weights, each leaving the one before it at the step of its checkpoint.

    Args:
        figure: a schedule, which is changed.
        forks: at least one, in their order; of many the newest are drawn.
    """
    drawn = forks[-_MOST_ATTEMPTS:]
    for lane, fork in enumerate(drawn):
        open_now = lane == len(drawn) - 1
        # The first point lies on the lane that the attempt leaves.
        x = [fork.from_step, fork.from_step, max(fork.from_step, fork.to_step)]
        y = [max(0, lane - 1), lane, lane]
        last = fork.to_step if fork.to_step >= fork.from_step else "none yet"
        told = f"attempt {fork.number}<br>from step {fork.from_step}, last reported {last}"
        figure.add_scatter(
            x=x,
            y=y,
            yaxis="y3",
            mode="lines+markers",
            line={"color": ACCENT if open_now else MUTED, "width": 3 if open_now else 2},
            marker={"size": [0, 7, 7]},
            showlegend=False,
            name=f"attempt {fork.number}",
            hovertemplate=f"{told}<extra></extra>",
        )
    height = float(figure.layout.height) + (extra := _LANE * len(drawn) + 40)
    inside = height - figure.layout.margin.t - figure.layout.margin.b
    foot = extra / inside  # of the plot's height
    for axis in (figure.layout.yaxis, figure.layout.yaxis2):
        axis.domain = [foot + (1 - foot) * end for end in axis.domain or (0, 1)]
    figure.update_layout(
        height=height,
        yaxis3={
            "domain": [0, foot - 24 / inside],
            "range": [len(drawn) - 0.5, -0.5],
            "tickvals": list(range(len(drawn))),
            "ticktext": [str(fork.number) for fork in drawn],
            "title": {"text": "attempt"},
            "showgrid": False,
            "zeroline": False,
            "fixedrange": True,
        },
        xaxis={"anchor": "free", "position": 0},
    )
    return figure


def _telling(changes: Sequence[Change], most: int) -> list[Change]:
    if len(changes) <= most:
        return list(changes)
    new = [at for at in range(1, len(changes)) if changes[at].reason != changes[at - 1].reason]
    spread = np.linspace(0, len(changes) - 1, most // 2).astype(int).tolist()
    return [changes[at] for at in sorted({*spread, *new[-(most // 2) :]})]


def _short(reason: str) -> str:
    return reason if len(reason) <= _LONGEST else reason[: _LONGEST - 1] + "…"
