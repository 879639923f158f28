"""Removal of what nobody finds or nobody wants to keep, in small parts with a commit after each.

It may be stopped at any moment, and run by several processes at once: what is left is found again.
"""

from collections import Counter
from collections.abc import Callable, Mapping
from functools import partial
from typing import Any

from sqlalchemy.orm import Session

from service.db import Database
from service.models import (
    Attempt,
    ExpensiveStep,
    Fit,
    Job,
    JobEvent,
    JobSnapshot,
    Observation,
    ProposalRequest,
    ProxyRun,
    Report,
    ScheduleStage,
    Study,
    Sweep,
)
from service.retention import repository

# Children before parents: a row that takes thousands of others with it would hold their locks all at once.
_OF_STUDIES: tuple[type[Any], ...] = (ProposalRequest, Fit, Sweep)
_OF_JOBS: tuple[type[Any], ...] = (Report, ScheduleStage, JobEvent, JobSnapshot, ExpensiveStep, Attempt)


def clean(database: Database, *, keep_reports_days: int | None) -> Mapping[str, int]:
    """Remove the rows of deleted studies and jobs, and old reports; returns how many rows of each table.

    Args:
        database: where they are.
        keep_reports_days: days after the end of a job for which its reports are kept; None for ever.
    """
    removed: Counter[str] = Counter()
    with database.session() as session:
        studies, jobs = repository.deleted(session, Study), repository.deleted(session, Job)
    for study_id in studies:
        _remove_runs(database, study_id, removed)
        for table in _OF_STUDIES:
            _remove(database, table, table.study_id, [study_id], removed)
        _remove(database, Study, Study.id, [study_id], removed)
    for job_id in jobs:
        for table in _OF_JOBS:
            _remove(database, table, table.job_id, [job_id], removed)
        _remove(database, Job, Job.id, [job_id], removed)
    if keep_reports_days is not None:
        _forget_reports(database, keep_reports_days, removed)
    return +removed


def _remove_runs(database: Database, study_id: Any, removed: Counter[str]) -> None:
    while True:
        with database.session() as session:
            runs = repository.some_runs(session, study_id)
        if not runs:
            return
        _remove(database, Observation, Observation.run_id, runs, removed)
        _remove(database, ProxyRun, ProxyRun.id, runs, removed)


def _remove(database: Database, table: type[Any], column: Any, ids: list[Any], removed: Counter[str]) -> None:
    remove = partial(repository.remove_some, table=table, column=column, ids=ids)
    removed[table.__tablename__] += _until_none(database, remove)


def _forget_reports(database: Database, days: int, removed: Counter[str]) -> None:
    """Drop reports and snapshots of jobs that ended long ago; versions and orders stay."""
    with database.session() as session:
        jobs = repository.long_ended(session, days)
    for job_id in jobs:
        forget = partial(repository.forget_some_reports, job_id=job_id)
        removed[Report.__tablename__] += _until_none(database, forget)
        _remove(database, JobSnapshot, JobSnapshot.job_id, [job_id], removed)


def _until_none(database: Database, step: Callable[[Session], int]) -> int:
    total = 0
    while True:
        with database.session() as session:
            count = step(session)
        total += count
        if not count:
            return total
