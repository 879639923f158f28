"""Refused reports, counted by job and reason, so that a job tells what it does not take and from when.

The reason is the code of the problem that the trainer was told. A request counts once, however many reports
it holds: all of them are refused.
"""

from collections.abc import Mapping, Sequence
from uuid import UUID

from sqlalchemy.orm import Session

from mixlaws.errors import MixlawsError
from service.errors import ServiceError, UnavailableError
from service.jobs import refusals_repository
from service.problem_details import shortened
from service.refusals import code_of

Refusal = ServiceError | MixlawsError


def note(session: Session, refused: Mapping[UUID, Sequence[Refusal]], places: Mapping[UUID, int]) -> None:
    """Count the refusals of a commit, by job, in its transaction; each at its place in the job's log."""
    counted: dict[tuple[UUID, str], list[str]] = {}
    for job_id, errors in refused.items():
        if job_id not in places:
            continue  # a job whose state cannot be read: nothing was taken of it, and no place is known
        for error in errors:
            if isinstance(error, UnavailableError):
                continue  # its reports come again
            counted.setdefault((job_id, code_of(error)), []).append(str(error))
    rows = [
        {
            "job_id": job_id,
            "code": code,
            "count": len(details),
            "detail": shortened(details[-1]),
            "seq": places[job_id],
        }
        for (job_id, code), details in sorted(counted.items())
    ]
    refusals_repository.add(session, rows)


def by_reason(session: Session, job_ids: Sequence[UUID]) -> dict[UUID, dict[str, int]]:
    """Number of refused requests by reason, of jobs that had any."""
    found: dict[UUID, dict[str, int]] = {}
    for row in refusals_repository.of_jobs(session, job_ids):
        found.setdefault(row.job_id, {})[row.code] = row.count
    return found
