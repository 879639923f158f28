"""Epochs: numbers that are never given twice, though a backup was restored and their memory is gone.

A trainer may know of versions, attempts and places in the log that the restored database has never heard of.
Each restore begins an epoch of the job, which leaves a gap in its numbers that is wider than what a job goes
through between two backups.
"""

from sqlalchemy.orm import Session

from mixlaws.steering.events import EventKind
from service.jobs import log_repository
from service.models import Job

VERSIONS = 1_000_000  # left out at the beginning of an epoch
ATTEMPTS = 1_000
_NO_END = 2**63


def next_attempt(job: Job) -> int:
    """The number of the next attempt."""
    return max(job.attempt, ATTEMPTS * job.epoch) + 1


def end(session: Session, job: Job, epoch: int) -> int:
    """The place in the log from which on an epoch's places no longer count; 0 for one that never was."""
    if epoch > job.epoch:
        return 0
    restores = log_repository.events(session, job.id, [EventKind.RESTORED])
    return next((event.seq for event in restores if event.payload["epoch"] == epoch + 1), _NO_END)


def state_token(epoch: int, attempt: int, applied_seq: int) -> str:
    """Name of a place in a job's history."""
    return (f"e{epoch}." if epoch else "") + f"a{attempt}.s{applied_seq}"
