"""The figures of a job's page: of any length of training about as large, and quick to make."""

from collections.abc import Sequence

import numpy as np
import plotly.graph_objects as go
from sqlalchemy.orm import Session

from mixlaws.figures.history import Change, Fork, add_changes, add_forks
from mixlaws.figures.losses import losses
from mixlaws.figures.schedule import schedule
from mixlaws.figures.shares import shares
from service.jobs import attempts, curve_repository
from service.jobs.curves import Curves
from service.jobs.order_schemas import DomainStatusOut
from service.models import Attempt, Job


def figures(
    session: Session, job: Job, curves: Curves, domains: Sequence[DomainStatusOut], opened: Sequence[Attempt]
) -> dict[str, go.Figure]:
    """All figures of a job, by the names of their elements."""
    names = [domain.name for domain in domains]
    measured = curves.losses(session, job)
    return {
        "weights": _weights(session, job, names, opened),
        "shares": of_shares(domains),
        "losses": losses(names, measured.steps, measured.values),
    }


def of_shares(domains: Sequence[DomainStatusOut]) -> go.Figure:
    """The one figure that costs next to nothing: it is on the page from the first."""
    return shares(
        [domain.name for domain in domains],
        [domain.realised_share for domain in domains],
        [domain.intended_share for domain in domains],
    )


def _weights(session: Session, job: Job, names: list[str], opened: Sequence[Attempt]) -> go.Figure:
    stages = curve_repository.stages(session, job)
    weights = np.zeros((len(stages), len(names)))
    for row, stage in zip(weights, stages, strict=True):
        row[: len(stage.weights)] = stage.weights  # domains that came later had none
    figure = schedule(
        names,
        [stage.effective_step for stage in stages],
        weights,
        end=max(job.reported_step, stages[-1].effective_step) + int(job.definition["lead_steps"]),
        reported=job.reported_step,
    )
    add_changes(figure, [Change(stage.version, stage.effective_step, stage.reason) for stage in stages])
    if len(opened) > 1:
        reached = attempts.reached(session, job, opened)
        newest = [one for one in opened if one.number in reached]
        add_forks(figure, [Fork(one.number, one.from_step, reached[one.number]) for one in newest])
    return figure
