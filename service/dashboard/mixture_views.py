"""The mixtures of runs as a figure: at most as many of them as a page can hold, evenly by their rank."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import plotly.graph_objects as go
from sqlalchemy.orm import Session

from mixlaws.arrays import FloatArray
from mixlaws.figures.matrix import matrix
from mixlaws.figures.mixtures import mixtures
from mixlaws.figures.triangle import triangle
from service.runs import table_repository
from service.runs.table_repository import Point, Some

_MOST_RUNS = 300  # as lines: more cannot be told from each other
_FEWEST_RUNS = 20
_MOST_PLACES = 9_000  # of all lines together: some 300 KB of a page
_MOST_POINTS = 1_500  # in a triangle


@dataclass(frozen=True)
class MixtureView:
    """A figure of mixtures.

    Args:
        figure: the figure; None where there is nothing to draw.
        drawn: runs in it.
        total: runs that there are.
        best: the run of the smallest value, if any is completed.
        placeless: runs that hold none of the three domains of a triangle.
    """

    figure: go.Figure | None
    drawn: int
    total: int
    best: Point | None
    placeless: int = 0


def mixture_view(
    session: Session,
    domains: Sequence[str],
    some: Some,
    coefficients: Mapping[str, float],
    *,
    corners: Sequence[str] | None = None,
    value_name: str = "objective",
) -> MixtureView:
    """Draw the mixtures of some runs, the best among them in any case.

    Args:
        session: where they are read.
        domains: of the study, in their order.
        some: which runs.
        coefficients: of the targets in the value that colours them.
        corners: three domains of a triangle; None for lines over all domains.
        value_name: what the value is.
    """
    lines = min(_MOST_RUNS, max(_FEWEST_RUNS, _MOST_PLACES // len(domains)))
    flat = corners is not None or len(domains) == 3
    points, total = table_repository.thinned(
        session, some, coefficients, most=_MOST_POINTS if flat else lines
    )
    if not points:
        return MixtureView(None, 0, 0, None)
    best = _best(points)
    weights, values = _arrays(points)
    if corners is None:
        figure = mixtures(domains, weights, values, value_name=value_name)
        return MixtureView(figure, len(points), total, best)
    figure = triangle(domains, weights, values, corners=corners, value_name=value_name)
    held = weights[:, [list(domains).index(corner) for corner in corners]].sum(axis=1)
    return MixtureView(figure, len(points), total, best, placeless=int((held <= 0).sum()))


def matrix_view(
    session: Session,
    domains: Sequence[str],
    some: Some,
    coefficients: Mapping[str, float],
    *,
    shares: Sequence[str],
    losses: Sequence[str],
    value_name: str,
) -> MixtureView:
    """Draw some shares and losses of some runs against each other.

    Args:
        session: where they are read.
        domains: of the study, in their order.
        some: which runs.
        coefficients: of the targets in the value that colours them.
        shares: domains that are drawn.
        losses: targets that are drawn.
        value_name: what the value is.
    """
    points, total = table_repository.thinned(session, some, coefficients, most=_MOST_RUNS)
    if not points:
        return MixtureView(None, 0, 0, None)
    weights, values = _arrays(points)
    told = table_repository.losses(session, [point.id for point in points])
    measured = [[told.get(point.id, {}).get(name, np.nan) for name in losses] for point in points]
    figure = matrix(
        shares,
        weights[:, [list(domains).index(name) for name in shares]],
        losses,
        np.array(measured, dtype=np.float64).reshape(len(points), len(losses)),
        values,
        value_name=value_name,
    )
    return MixtureView(figure, len(points), total, _best(points))


def _best(points: Sequence[Point]) -> Point | None:
    """The run of the smallest value, which comes first."""
    return points[0] if points[0].value is not None else None


def _arrays(points: Sequence[Point]) -> tuple[FloatArray, FloatArray]:
    """(n, d) mixtures and (n,) values; NaN where there is none."""
    values = [np.nan if point.value is None else point.value for point in points]
    return np.array([point.weights for point in points]), np.array(values)
