"""What the mixtures of a proposal trade: two targets, or two groups of them, against each other."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import plotly.graph_objects as go

from mixlaws.arrays import FloatArray
from mixlaws.figures.front import front
from service.proposals.schemas import ProposalIn, ProposalOut, ReferenceOut

PROPOSER = "pareto"
PROPOSED = "proposal"  # what the front calls the mixture that it was asked for beside
_OF_A_FRONT = 12  # mixtures: enough for a line
_MOST_NAMED = 3  # targets of a group in the title of an axis
_MOST_OTHERS = 8  # marks that can be told from each other


@dataclass(frozen=True)
class Trade:
    """A trade-off on a page.

    Args:
        figure: the figure.
        groups: targets of either axis.
        names: what the axes are called.
        request: what asks for the front of just these two.
    """

    figure: go.Figure
    groups: tuple[list[str], list[str]]
    names: tuple[str, str]
    request: ProposalIn


def trade(
    shown: ProposalOut, coefficients: Mapping[str, float], x: Sequence[str], y: Sequence[str]
) -> Trade | None:
    """Draw a proposal's mixtures by two groups of targets; None where there is but one target.

    Args:
        shown: the proposal, which is done.
        coefficients: of the targets in the objective of the study, in their order.
        x: targets that are chosen for the horizontal axis; none for what the proposal trades.
        y: likewise for the vertical one.
    """
    targets = list(coefficients)
    if len(targets) < len("xy"):
        return None
    usual = _asked_for(shown, targets) or _apart(shown)
    chosen = [[target for target in targets if target in some] for some in (x, y)]
    across, up = (some or other for some, other in zip(chosen, usual, strict=True))
    rows = np.array([_row(targets, coefficients, some) for some in (across, up)])
    names = (_name(targets, across), _name(targets, up))
    others = _others(shown)
    figure = front(
        names,
        np.array([_places(one, targets, rows) for one in shown.proposals]),
        np.array([_widths(one, targets, rows) for one in shown.proposals]),
        {
            name: np.stack([_places(one, targets, rows), _widths(one, targets, rows)])
            for name, one in others.items()
        },
        labels=[f"proposal {number}" for number in range(1, len(shown.proposals) + 1)],
    )
    return Trade(figure, (across, up), names, _request(shown, rows))


def _asked_for(shown: ProposalOut, targets: Sequence[str]) -> tuple[list[str], list[str]] | None:
    """What the front was asked to trade."""
    rows: Any = shown.configuration.params.get("objectives")
    if shown.configuration.proposer != PROPOSER or not rows:
        return None
    first, second = ([t for t, c in zip(targets, row, strict=True) if c > 0] for row in rows[:2])
    return first, second


def _apart(shown: ProposalOut) -> tuple[list[str], list[str]]:
    """What the best proposal wins most of, and what it wins least of or gives up."""
    before, after = shown.references["prior"].predicted, shown.proposals[0].predicted
    ordered = sorted(after, key=lambda target: after[target] - before[target])
    return [ordered[0]], [ordered[-1]]


def _row(targets: Sequence[str], coefficients: Mapping[str, float], group: Sequence[str]) -> list[float]:
    """(t,) coefficients of a group: those of the objective among its targets, or equal ones."""
    told = {name: coefficients[name] for name in group}
    if sum(told.values()) <= 0:
        told = dict.fromkeys(group, 1.0)
    total = sum(told.values())
    return [told.get(name, 0.0) / total for name in targets]


def _name(targets: Sequence[str], group: Sequence[str]) -> str:
    if len(group) == len(targets):
        return "objective"
    more = f" and {len(group) - _MOST_NAMED} more" if len(group) > _MOST_NAMED else ""
    named = ", ".join(group[:_MOST_NAMED])
    return named if len(group) == 1 else f"mean of {named}{more}"


def _others(shown: ProposalOut) -> dict[str, ReferenceOut]:
    """What the proposals are compared with: first the mixture that a front was asked for beside."""
    rivals = sorted(shown.rivals, key=lambda rival: rival.name != PROPOSED)
    told = {**shown.references, **{rival.name: rival for rival in rivals if rival.name != "natural"}}
    return dict(list(told.items())[:_MOST_OTHERS])


def _places(one: ReferenceOut, targets: Sequence[str], rows: FloatArray) -> FloatArray:
    """(2,) what is predicted of both groups."""
    return np.asarray(rows @ np.array([one.predicted[target] for target in targets]))


def _widths(one: ReferenceOut, targets: Sequence[str], rows: FloatArray) -> FloatArray:
    """(2,) half widths of single targets: that of a mean takes more than those of its parts."""
    if one.half_width_95 is None:
        return np.full(len(rows), np.nan)
    told = np.array([one.half_width_95[target] for target in targets])
    return np.array([told[row > 0][0] if (row > 0).sum() == 1 else np.nan for row in rows])


def _request(shown: ProposalOut, rows: FloatArray) -> ProposalIn:
    """The same request for the front between two groups, with the best mixture beside it."""
    asked = shown.configuration
    best = shown.proposals[0].weights
    rivals = {name: weights for name, weights in asked.rivals.items() if name != PROPOSED}
    kept = dict(list(rivals.items())[:_MOST_OTHERS])
    return asked.model_copy(
        update={
            "intent": None,
            "proposer": PROPOSER,
            "params": {"objectives": rows.tolist()},
            "count": _OF_A_FRONT,
            "second_stage": None,
            "rivals": {PROPOSED: asked.rivals.get(PROPOSED, best), **kept},
        }
    )
