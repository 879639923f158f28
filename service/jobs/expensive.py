"""Expensive steps: asked for when they fall due, computed by a task, entered into the log by it."""

import logging
from collections.abc import Sequence
from itertools import groupby
from typing import Any
from uuid import UUID

import numpy as np
from sqlalchemy.orm import Session

from mixlaws.domains import DomainSet
from mixlaws.errors import FitError
from mixlaws.policy import History, HistoryRequest
from mixlaws.steering.events import Event, EventKind
from service.deferring import defer
from service.jobs import log, log_repository, recording
from service.jobs.definition import JobDefinition
from service.jobs.folding import Measured, feedback
from service.models import ExpensiveStep, Job

_log = logging.getLogger("service.jobs")

KIND = "policy-step"


def ask(session: Session, job_id: UUID, attempt: int, request: HistoryRequest) -> None:
    """Queue a step that is due, unless it was asked for before."""
    made = log_repository.ask_for_step(session, job_id, attempt, request.step_from, request.step_to)
    if made is not None:
        defer(session, KIND, made)


def task_input(session: Session, step: ExpensiveStep) -> dict[str, Any]:
    """What the child needs: the job, and the history that the policy asked for."""
    job = session.get_one(Job, step.job_id)
    # Reports number steps from 0, feedback counts those that were made.
    rows = log_repository.applied_reports(session, job.id, step.step_from - 1, step.step_to - 1)
    reports = [log.measured(vars(row)) for row in rows]
    return {
        "definition": job.definition,
        "step_from": step.step_from,
        "step_to": step.step_to,
        "reports": [vars(report) for report in reports],
    }


def compute(raw: dict[str, Any]) -> dict[str, Any]:
    """The expensive step of a policy; empty if nothing could be learnt."""
    definition = JobDefinition.stored(raw["definition"])
    policy = definition.steering.expensive
    if policy is None:
        return {}
    request = HistoryRequest(raw["step_from"], raw["step_to"])
    past = history([Measured(**report) for report in raw["reports"]], definition.domains)
    try:
        return dict(policy.compute(request, past))
    except FitError as error:
        return {"error": str(error)}


def enter(session: Session, step: ExpensiveStep, result: dict[str, Any] | None, error: str | None) -> None:
    """Enter a result into the log of its job, unless an end, a restart or a rollback came in between."""
    job = log_repository.locked_job(session, step.job_id)
    steering = JobDefinition.stored(job.definition).steering
    asked = HistoryRequest(step.step_from, step.step_to)
    if (
        job.ended_at is not None
        or job.attempt != step.attempt
        or steering.due(steering.load(job.state)) != asked
    ):
        _log.info(
            "job %s: the result for steps %d to %d of attempt %d is dropped: its state was taken back",
            job.name, step.step_from, step.step_to, step.attempt,
        )  # fmt: skip
        return
    usable = result if result is not None and "error" not in result else {}
    payload = {"step_from": step.step_from, "step_to": step.step_to, "result": usable}
    failure = error or (result or {}).get("error")
    if failure:
        payload["error"] = failure
    recording.record(session, job, Event(EventKind.RESULT, payload), actor="task")


def history(reports: Sequence[Measured], domains: DomainSet) -> History:
    """Reports of the past as arrays, those of one step added up."""
    ordered = sorted(reports, key=lambda report: (report.step_to, report.source))
    nothing = [0.0] * len(domains)
    rows = [
        feedback(domains, list(group), nothing)[0]
        for _, group in groupby(ordered, key=lambda report: report.step_to)
    ]
    shape = (len(rows), len(domains))
    counted = [row.sequence_counts for row in rows if row.sequence_counts is not None]
    return History(
        np.array([row.step for row in rows], dtype=np.int64),
        np.array([row.loss_sums for row in rows]).reshape(shape),
        np.array([row.token_counts for row in rows]).reshape(shape),
        np.array(counted) if rows and len(counted) == len(rows) else None,
    )
