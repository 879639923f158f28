"""The figures of a fit, each no larger than a screen has use for, so that many runs make no large page.

Numbers are told to five digits after the point, nats per token: no eye sees more, and pages are half as long.
"""

import math
from collections.abc import Callable, Sequence
from typing import Any, NamedTuple

import numpy as np
import plotly.graph_objects as go

from mixlaws.arrays import FloatArray
from mixlaws.coverage import coverage
from mixlaws.figures.calibration import calibration
from mixlaws.figures.effects import effects
from mixlaws.figures.prediction import objective_prediction, prediction
from mixlaws.figures.residuals import residuals
from mixlaws.figures.response import response
from mixlaws.figures.standing_out import standing_out
from service.fits.findings import Findings

MOST_TARGETS = 12  # drawn in one figure: colours are hard to tell apart beyond
MOST_CELLS = 40  # of each side of the table of effects
_POINTS = 1000  # of a figure of the objective
_TARGET_POINTS = 3000  # of the figure of targets, all together
_TICKS = 100  # at the foot of a response
_LABEL = 40  # letters
_DIGITS = 5


class Predicted(NamedTuple):
    """Figures of held-out predictions.

    runs: how many are drawn in the figures of the objective.
    runs_by_target: and in that of targets.
    """

    objective: go.Figure
    residuals: go.Figure
    targets: go.Figure
    calibration: go.Figure | None
    runs: int
    runs_by_target: int


class Told(NamedTuple):
    """Figures of what a fit says of domains.

    responses: by domain.
    cells: how many domains and targets the table of effects shows.
    """

    responses: dict[str, go.Figure]
    effects: go.Figure
    cells: tuple[int, int]


def predicted_figures(
    result: dict[str, Any],
    coefficients: FloatArray,
    *,
    targets: Sequence[str],
    only: Sequence[str],
    labels: Callable[[Sequence[int]], Sequence[str]],
) -> Predicted:
    """Draw what a fit says of runs that it did not see.

    Args:
        result: of the fit.
        coefficients: (t,) of the objective.
        targets: names of axis t.
        only: those that the figure of targets shows.
        labels: what some of the runs are called: of thousands few are drawn.
    """
    measured, predicted = np.array(result["measured"]), np.array(result["predicted"])
    noise = result["noise"]["objective"]
    error = (predicted - measured) @ coefficients
    rows = standing_out(error, _POINTS)
    fewer = standing_out(error, _TARGET_POINTS // len(only))
    drawn = np.union1d(rows, fewer).tolist()
    called = {row: label[:_LABEL] for row, label in zip(drawn, labels(drawn), strict=True)}
    names = [called[row] for row in rows]
    objective = (measured[rows] @ coefficients).round(_DIGITS)
    told = (predicted[rows] @ coefficients).round(_DIGITS)
    return Predicted(
        objective=objective_prediction(objective, told, noise=noise, labels=names),
        residuals=residuals(told, objective, noise=noise, labels=names),
        targets=prediction(
            targets,
            measured[fewer].round(_DIGITS),
            predicted[fewer].round(_DIGITS),
            labels=[called[row] for row in fewer],
            only=only,
        ),
        calibration=_calibration(result, measured, predicted),
        runs=len(rows),
        runs_by_target=len(fewer),
    )


def told_figures(
    found: Findings, weights: FloatArray, *, domains: Sequence[str], targets: Sequence[str]
) -> Told:
    """Draw what a fit says of domains.

    Args:
        found: what it says.
        weights: (n, d) mixtures of its runs.
        domains: names of axis d.
        targets: names of axis t.
    """
    lines = [(d, line) for d, line in enumerate(found.responses) if line is not None]
    spans = [line.objective if line.interval is None else line.interval for _, line in lines]
    limits = (
        (min(float(span.min()) for span in spans), max(float(span.max()) for span in spans))
        if lines
        else None
    )
    size = np.nan_to_num(np.abs(found.effects))
    rows, columns = standing_out(size.max(axis=1), MOST_CELLS), standing_out(size.max(axis=0), MOST_CELLS)
    return Told(
        responses={
            domains[d]: response(
                domains[d],
                line.shares.round(_DIGITS),
                line.objective.round(_DIGITS),
                None if line.interval is None else line.interval.round(_DIGITS),
                base=float(found.base[d]),
                sampled=_even(weights[:, d]),
                limits=limits,
            )
            for d, line in lines
        },
        effects=effects(
            [domains[d] for d in rows],
            [targets[t] for t in columns],
            found.effects[np.ix_(rows, columns)].round(_DIGITS),
        ),
        cells=(len(rows), len(columns)),
    )


def _calibration(result: dict[str, Any], measured: FloatArray, predicted: FloatArray) -> go.Figure | None:
    if result.get("deviation") is None:
        return None
    found = coverage(
        measured, predicted, np.array(result["deviation"]), freedom=result.get("freedom") or math.inf
    )
    return calibration(found.levels.round(3), found.shares.round(4), found.chance.round(4))


def _even(values: FloatArray) -> FloatArray:
    """An even choice of values, smallest and largest among them."""
    rising = np.sort(values)
    chosen = np.linspace(0, len(rising) - 1, min(len(rising), _TICKS)).astype(np.int64)
    return np.asarray(rising[chosen].round(_DIGITS))
