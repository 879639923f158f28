"""Runs that were chosen in a table: their curves in one figure, and themselves side by side."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from uuid import UUID

import numpy as np
import plotly.graph_objects as go
from sqlalchemy.orm import Session

from mixlaws.arrays import FloatArray
from mixlaws.figures.curves import curves
from service.clock_repository import now
from service.models import Study, Sweep
from service.runs import observation_repository, table_repository
from service.runs import service as runs
from service.runs.schemas import RunOut
from service.studies import service as studies

MOST_CHOSEN = 8  # colours and columns that people can tell from each other
_MOST_ROWS = 60  # of domains, and of targets
_POINTS = 200  # of a curve: more than a screen shows


@dataclass(frozen=True)
class Line:
    """What one domain or target is in every run, and where it is least."""

    name: str
    values: list[float | None]

    @property
    def least(self) -> float | None:
        """The smallest value, if there are two that differ."""
        known = {value for value in self.values if value is not None}
        return min(known) if len(known) > 1 else None

    @property
    def spread(self) -> float:
        """How far the runs are apart."""
        known = [value for value in self.values if value is not None]
        return max(known) - min(known) if known else 0.0


@dataclass(frozen=True)
class ChosenRuns:
    """Runs side by side.

    Args:
        runs: in the order of the choice.
        values: of each, nats per token.
        shares: a line for each domain.
        losses: a line for each target.
        left_out: domains and targets that differ too little to be listed.
        curves: the figure; None where nothing was observed.
        too_many: runs that were chosen and are not shown.
    """

    runs: list[RunOut]
    values: list[float | None]
    shares: list[Line]
    losses: list[Line]
    left_out: int
    curves: go.Figure | None
    too_many: int


def chosen_runs(
    session: Session,
    sweep: Sweep,
    study: Study,
    run_ids: Sequence[UUID],
    coefficients: Mapping[str, float],
    *,
    value_name: str,
) -> ChosenRuns | None:
    """Compare runs of a sweep; None where none of them is of it.

    Args:
        session: where they are read.
        sweep: theirs.
        study: of the sweep.
        run_ids: the runs.
        coefficients: of the targets in the value of a run.
        value_name: what that value is.
    """
    rows = table_repository.of_sweep(session, sweep.id, list(dict.fromkeys(run_ids)))
    if not rows:
        return None
    moment = now(session)
    shown = [runs.shown((run, of, study), moment) for run, of in rows[:MOST_CHOSEN]]
    losses = [run.result["losses"] if run.result else {} for run in shown]
    domains = [Line(name, [run.weights[name] for run in shown]) for name in shown[0].weights]
    targets = [
        Line(name, [row.get(name) for row in losses]) for name in studies.definition(study).targets or []
    ]
    observed = [_observed(session, run.id, coefficients) for run in shown]
    drawn = [
        (f"{run.label}, seed {run.seed}", *points)
        for run, points in zip(shown, observed, strict=True)
        if len(points[0])
    ]
    return ChosenRuns(
        runs=shown,
        values=[
            sum(c * row[name] for name, c in coefficients.items() if c > 0) if row else None for row in losses
        ],
        shares=_telling(domains),
        losses=_telling(targets),
        left_out=max(0, len(domains) - _MOST_ROWS) + max(0, len(targets) - _MOST_ROWS),
        curves=curves(
            [label for label, _, _ in drawn],
            [steps for _, steps, _ in drawn],
            [values for _, _, values in drawn],
            value_name=value_name,
        )
        if drawn
        else None,
        too_many=len(rows) - len(shown),
    )


def _telling(lines: list[Line]) -> list[Line]:
    """The lines in their order, or those that differ most where there are too many."""
    if len(lines) <= _MOST_ROWS:
        return lines
    return sorted(lines, key=lambda line: -line.spread)[:_MOST_ROWS]


def _observed(
    session: Session, run_id: UUID, coefficients: Mapping[str, float]
) -> tuple[FloatArray, FloatArray]:
    """(k,) steps and the value at them, where every target that counts was observed."""
    counted = {name: c for name, c in coefficients.items() if c > 0}
    only = next(iter(counted)) if len(counted) == 1 else None
    rows = observation_repository.thinned(session, run_id, target=only, points=_POINTS)
    by_step: dict[int, dict[str, float]] = {}
    for step, target, value in rows:
        by_step.setdefault(step, {})[target] = value
    whole = [
        (step, sum(c * seen[name] for name, c in counted.items()))
        for step, seen in sorted(by_step.items())
        if counted.keys() <= seen.keys()
    ]
    points = np.array(whole, dtype=np.float64).reshape(-1, 2)
    return points[:, 0], points[:, 1]
