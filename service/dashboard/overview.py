"""Studies and jobs as the first page lists them: a row each, with a sparkline, from a bounded look."""

import math
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from itertools import accumulate
from typing import Any

from markupsafe import Markup
from sqlalchemy.orm import Session

from mixlaws.swarm import target_coefficients
from service.dashboard.sparklines import sparkline
from service.jobs import overview_repository as job_overview
from service.jobs.overview_repository import Losses
from service.models import Job, Study
from service.studies import overview_repository
from service.studies import service as studies

MOST_RESULTS = 60  # finished runs of a study that its line is drawn from
_POINTS = 48  # of a job's line


@dataclass(frozen=True)
class StudyRow:
    """A study.

    Args:
        name: of the study.
        domains: how many it has.
        runs: how many in each state, as far as they are counted.
        best: lowest objective of the newest finished runs, nats per token; None before the first.
        line: how that came about.
        created_at: when it was created.
    """

    name: str
    domains: int
    runs: dict[str, int]
    best: float | None
    line: Markup
    created_at: datetime


@dataclass(frozen=True)
class JobRow:
    """A live job.

    Args:
        name: of the job.
        policy: that steers it.
        step: last one that was reported; None before the first.
        loss: mean training loss at the end of the line, nats per token; None before the first.
        line: the loss over the steps.
        versions: how many were published.
        frozen: whether its weights are held.
        last_report_at: when it was last heard of.
    """

    name: str
    policy: str
    step: int | None
    loss: float | None
    line: Markup
    versions: int
    frozen: bool
    last_report_at: datetime | None


def of_studies(session: Session, rows: Sequence[Study]) -> list[StudyRow]:
    """Rows of studies."""
    ids = [study.id for study in rows]
    counted = overview_repository.counts(session, ids)
    results = overview_repository.newest_results(session, ids, MOST_RESULTS)
    found = []
    for study in rows:
        best = list(accumulate(objectives(study, [losses for _, losses in results[study.id]]), min))
        told = f"best objective from {best[0]:.3f} to {best[-1]:.3f} over {len(best)} runs" if best else ""
        found.append(
            StudyRow(
                study.name,
                len(study.definition["domains"]),
                counted[study.id],
                best[-1] if best else None,
                sparkline(best, told),
                study.created_at,
            )
        )
    return found


def of_jobs(session: Session, rows: Sequence[Job]) -> list[JobRow]:
    """Rows of live jobs."""
    reported = job_overview.losses_along(session, rows, _POINTS)
    found = []
    for job in rows:
        points = mean_losses(reported[job.id])
        values = [loss for _, loss in points]
        told = f"mean training loss from {values[0]:.3f} to {values[-1]:.3f}" if points else ""
        found.append(
            JobRow(
                job.name,
                job.definition["policy"],
                job.reported_step if job.reported_step >= 0 else None,
                values[-1] if values else None,
                sparkline(values, told),
                job.versions_published,
                job.state.get("hold") is not None,
                job.last_report_at,
            )
        )
    return found


def objectives(study: Study, losses: Sequence[dict[str, Any]]) -> list[float]:
    """The study's objective of each run's losses, nats per token."""
    definition = studies.definition(study)
    targets = definition.targets or []
    coefficients = target_coefficients(targets, definition.objective or {})
    return [float(sum(c * of[t] for c, t in zip(coefficients, targets, strict=True))) for of in losses]


def mean_losses(reported: Sequence[Losses]) -> list[tuple[int, float]]:
    """Step and mean loss over all domains by their tokens; sources of one step are added up.

    Sums that were not finite are left out with their tokens.
    """
    added: dict[int, tuple[float, int]] = {}
    for step, sums, tokens in reported:
        told = [(s, n) for s, n in zip(sums, tokens, strict=True) if s is not None and math.isfinite(s)]
        total, count = added.get(step, (0.0, 0))
        added[step] = total + sum(s for s, _ in told), count + sum(n for _, n in told)
    return [(step, total / count) for step, (total, count) in sorted(added.items()) if count > 0]
