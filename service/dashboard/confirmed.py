"""What was confirmed at a larger scale: all seeds of every mixture, read as one."""

from dataclasses import dataclass

import numpy as np
import plotly.graph_objects as go
from sqlalchemy.orm import Session

from mixlaws.figures.confirmation import confirmation
from mixlaws.validation import pooled_deviation
from service.dashboard.runs_table import coefficients
from service.models import Study
from service.runs import table_repository
from service.runs.table_repository import Point, Some

_MOST_MIXTURES = 30  # each takes a row of the figure


@dataclass(frozen=True)
class Confirmed:
    """The figure, and how many mixtures there were too many for it."""

    figure: go.Figure
    left_out: int


def confirmed(session: Session, study: Study) -> Confirmed | None:
    """Mixtures that were trained at a larger scale, against the natural one where it is among them."""
    points = table_repository.measured(session, Some(study.id, purpose="confirmation"), coefficients(study))
    found = _by_mixture(points)
    if not found:
        return None
    reference = "natural" if "natural" in found else next(iter(found))
    best_first = sorted(found, key=lambda name: float(np.mean(found[name])))
    kept = {reference, *best_first[: _MOST_MIXTURES - 1]}
    shown = {name: values for name, values in found.items() if name in kept}
    figure = confirmation(shown, reference=reference, noise=_noise(points))
    return Confirmed(figure, len(found) - len(shown))


def _by_mixture(points: list[Point]) -> dict[str, list[float]]:
    """Objectives by what mixtures are called, the seed left out; those that followed a job come last."""
    grouped: dict[str, list[float]] = {}
    for point in sorted(points, key=lambda point: point.job is not None):
        if point.value is not None:
            grouped.setdefault(point.label.rsplit(", seed", 1)[0], []).append(point.value)
    return grouped


def _noise(points: list[Point]) -> float | None:
    """Standard deviation between seeds of one mixture, nats per token, where mixtures were held."""
    held = [point for point in points if point.job is None and point.value is not None]
    if not held:
        return None
    weights = np.array([point.weights for point in held])
    deviation, freedom = pooled_deviation(weights, np.array([[point.value] for point in held], dtype=float))
    return float(deviation[0]) if freedom else None
