"""The end of a job: it is steered no more, and takes no reports, acknowledgements, restarts or orders."""

from uuid import UUID

from sqlalchemy.orm import Session

from service.clock_repository import now
from service.errors import ConflictError
from service.jobs import service
from service.models import Job


def end(session: Session, job: Job, reason: str, actor: str) -> None:
    """End a locked job. Ending it again changes nothing."""
    if job.ended_at is None:
        job.ended_at, job.ended_by, job.end_reason = now(session), actor, reason
        session.flush()


def going(session: Session, project_id: UUID, name: str) -> Job:
    """The job of a name, locked, for whoever moves it.

    Raises:
        NotFoundError: the project has none.
        ConflictError: it was ended.
    """
    job = service.get(session, project_id, name, lock=True)
    check_going(job)
    return job


def check_going(job: Job) -> None:
    """Check that a job was not ended.

    Raises:
        ConflictError: it was.
    """
    found = refusal(job)
    if found is not None:
        raise found


def refusal(job: Job) -> ConflictError | None:
    """What whoever sends something for a job is told; None while it goes on."""
    if job.ended_at is None:
        return None
    return ConflictError(
        f"job {job.name!r} was ended by {job.ended_by}: {job.end_reason}. Nothing more is taken for it: "
        "create another job to go on",
        code="terminal",
        extra={"ended_at": job.ended_at.isoformat()},
    )
