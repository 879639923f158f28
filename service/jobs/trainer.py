"""How a job's trainer is doing: when it was heard of last, and how far it lags behind its schedule."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy.orm import Session

from service.clock_repository import now
from service.jobs import curve_repository, repository
from service.models import Job

_REPORTS = 20  # newest ones that tell how often reports come
_OVERDUE = 5.0  # usual pauses of silence, after which something may be wrong
_LEAST_OVERDUE = 60.0  # seconds: one slow batch is no alarm


@dataclass(frozen=True)
class TrainerStatus:
    """What is known of a trainer.

    Args:
        heard_at: when its last report came; None before the first.
        pause: usual seconds between two reports, if there were two.
        overdue: whether it has been silent for much longer than usual, and was not ended.
        step: last step that it reported; -1 before the first.
        unseen: steps that were reported and that the policy has not seen, as other sources are missing.
        version: the version in force at the last reported step.
        weights: (d,) its shares, in the order of the domains; those that came later have none.
        begins: first step that it holds for.
        lag: steps after that until the trainer applied it, or until now if it has not said that it did.
        lag_seconds: the same in time, at the trainer's speed; None while that is not known.
        applied: whether it said so.
        ahead: steps from the last reported one to the end of what is planned with another version.
    """

    heard_at: datetime | None
    pause: float | None
    overdue: bool
    step: int
    unseen: int
    version: int
    weights: Sequence[float]
    begins: int
    lag: int
    lag_seconds: float | None
    applied: bool
    ahead: int


def status(session: Session, job: Job) -> TrainerStatus:
    """How the trainer of a job is doing."""
    reports = curve_repository.last_reports(session, job, _REPORTS)
    seconds = steps = 0.0
    if len(reports) > 1:
        seconds = (reports[0].received_at - reports[-1].received_at).total_seconds()
        steps = reports[0].step_to - reports[-1].step_to
    pause = seconds / (len(reports) - 1) if len(reports) > 1 else None
    plan = repository.stages_from(session, job.id, max(job.reported_step, job.from_step))
    stage = plan[0]
    applied = stage.applied_at_step is not None
    reached = stage.applied_at_step if stage.applied_at_step is not None else job.reported_step
    lag = max(0, reached - stage.effective_step)
    silent = (now(session) - job.last_report_at).total_seconds() if job.last_report_at else 0.0
    longest = max(_LEAST_OVERDUE, _OVERDUE * pause) if pause is not None else None
    return TrainerStatus(
        heard_at=job.last_report_at,
        pause=pause,
        overdue=job.ended_at is None and longest is not None and silent > longest,
        step=job.reported_step,
        unseen=max(0, job.reported_step - job.applied_step),
        version=stage.version,
        weights=stage.weights,
        begins=stage.effective_step,
        lag=lag,
        lag_seconds=lag * seconds / steps if steps else None,
        applied=applied,
        ahead=max(0, plan[-1].effective_step - job.reported_step),
    )
