"""A database that was restored to an earlier point, while trainers went on.

Told by `mixwright db restore`, or found out by a poll that names a later version than the job has. The job
then begins an epoch: it takes the number of an attempt that it does not know, leaves out the numbers that
trainers may know, notes in its audit trail what was lost, and publishes its schedule anew. Trainers keep the
last schedule they know until that one reaches them; what they report of versions from the lost time is
refused, since nobody knows any more which weights those had.
"""

import logging
from collections.abc import Callable
from datetime import timedelta
from uuid import UUID

from sqlalchemy.orm import Session

from mixlaws.errors import MixlawsError
from mixlaws.steering.events import Event, EventKind
from service.clock_repository import now
from service.errors import ServiceError
from service.jobs import attempts, epochs, log_repository, recording, repository
from service.jobs import service as jobs
from service.jobs.etags import numbers
from service.jobs.schemas import AttemptIn
from service.models import Job

_log = logging.getLogger("service.jobs")

_LEAST_BETWEEN = timedelta(minutes=1)  # what one wild trainer may use up of a job's numbers is bounded
_LARGEST_VERSION = 2_000_000_000  # a little less than its column holds
_LOST = "the database was restored to an earlier point: what was stored since then is lost"


def has_regressed(session: Session, project_id: UUID, name: str, held: str) -> bool:
    """Whether the database is behind a trainer; its job then begins an epoch, with a note of it.

    Args:
        session: where it is looked up and written.
        project_id: of the job.
        name: of the job.
        held: ETag of the schedule that the trainer has.

    Raises:
        NotFoundError: the project has no such job.
    """
    known = numbers(held)
    if known is None or not _is_behind(jobs.get(session, project_id, name), *known):
        return False
    session.expire_all()
    job = jobs.get(session, project_id, name, lock=True)
    attempt, version = known
    if not _is_behind(job, attempt, version):
        return True  # another request was faster: the next poll gets what it has published
    restores = log_repository.events(session, job.id, [EventKind.RESTORED])
    if not restores or now(session) - restores[-1].created_at > _LEAST_BETWEEN:
        reason = (
            f"{_LOST}. A trainer follows version {attempt}-{version}, known were {job.attempt}-{job.version}"
        )
        _log.error("job %s: %s", name, reason)
        _begin(session, job, reason, attempt=attempt, version=version, actor="trainer")
    return True


def note(session: Session, *, told: Callable[[str], None] = lambda _: None) -> int:
    """Let every job begin an epoch, in one transaction, after a backup was restored; returns how many.

    Args:
        session: where it is written.
        told: hears of each hundred jobs, and of those that this version cannot steer.
    """
    count = 0
    for job in repository.all_locked(session):
        try:
            with session.begin_nested():
                _begin(session, job, _LOST, attempt=0, version=0, actor="restore")
        except (ServiceError, MixlawsError, LookupError) as error:
            session.refresh(job)
            _leave_out(job, version=0)
            told(f"job {job.name!r} got new numbers, but no new schedule: {error}")
        count += 1
        if count % 100 == 0:
            told(f"{count} jobs have begun a new epoch")
    return count


def _is_behind(job: Job, attempt: int, version: int) -> bool:
    """Whether a job is behind what a trainer says; numbers that it can never have given are nonsense."""
    if (
        version > min(job.version + epochs.VERSIONS, _LARGEST_VERSION)
        or attempt > job.attempt + epochs.ATTEMPTS
    ):
        return False
    return attempt > job.attempt or version > job.version


def _begin(session: Session, job: Job, reason: str, *, attempt: int, version: int, actor: str) -> None:
    _leave_out(job, version=version)
    session.flush()
    if attempt > job.attempt:
        body = AttemptIn(from_step=max(job.from_step, job.reported_step + 1))
        attempts.open_attempt(session, job, body, actor=actor, number=attempt)
        job = log_repository.locked_job(session, job.id)
    event = Event(EventKind.RESTORED, {"epoch": job.epoch, "reason": reason})
    recording.record(session, job, event, actor=actor)


def _leave_out(job: Job, *, version: int) -> None:
    job.epoch += 1
    job.version = min(max(job.version, version) + epochs.VERSIONS, _LARGEST_VERSION)
