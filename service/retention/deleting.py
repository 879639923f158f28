"""Deletion of studies and jobs: at once for everybody who looks, in small parts for the database.

What is deleted leaves its project, so that its name is free and nobody finds it. Its rows go later, with
`service.retention.cleaning`: a study may have millions, and no request and no lock should last that long.
"""

from sqlalchemy.orm import Session

from service.audit import trail
from service.errors import ConflictError, PreconditionRequiredError
from service.jobs import repository as jobs
from service.jobs import service as job_service
from service.models import AuditKind
from service.retention import repository
from service.scopes import Principal
from service.studies import service as studies

LIVELY_SECONDS = 600  # a job that reported within them is in training


def delete_study(session: Session, caller: Principal, name: str, *, confirm: str | None, force: bool) -> None:
    """Delete a study with its sweeps, runs, observations, fits and proposals.

    Raises:
        NotFoundError: the project has none of that name.
        PreconditionRequiredError: the name was not repeated.
        ConflictError: workers train its runs.
    """
    study = studies.get(session, caller.project_id, name)
    _check_confirmed("study", name, confirm)
    repository.lock_study(session, study.id)
    leased = repository.leased_runs(session, study.id)
    if leased and not force:
        raise ConflictError(
            f"{leased} runs of study {name!r} are in training: cancel its sweeps and wait until their leases "
            "end, or delete it by force",
            code="in_use",
            extra={"leased": leased},
        )
    study.project_id = None
    session.flush()
    trail.record(session, caller, AuditKind.STUDY_DELETED, name, study=str(study.id), force=force)


def delete_job(session: Session, caller: Principal, name: str, *, confirm: str | None, force: bool) -> None:
    """Delete a job with its reports, versions and log; a trainer that follows it keeps its last schedule.

    Raises:
        NotFoundError: the project has none of that name.
        PreconditionRequiredError: the name was not repeated.
        ConflictError: it reported a moment ago and was not ended.
    """
    job = job_service.get(session, caller.project_id, name, lock=True)
    _check_confirmed("job", name, confirm)
    if job.ended_at is None and not force and repository.reported_within(session, job.id, LIVELY_SECONDS):
        raise ConflictError(
            f"job {name!r} reported within {LIVELY_SECONDS // 60} minutes: end it, or delete it by force",
            code="in_use",
            extra={"last_report_at": job.last_report_at.isoformat() if job.last_report_at else None},
        )
    job.project_id = None
    session.flush()
    jobs.announce(session, [job.id])  # who waits for its schedule hears that there is none any more
    trail.record(session, caller, AuditKind.JOB_DELETED, name, job=str(job.id), force=force)


def _check_confirmed(what: str, name: str, confirm: str | None) -> None:
    if confirm != name:
        raise PreconditionRequiredError(
            f"nothing brings {what} {name!r} back once it is deleted: repeat its name as ?confirm={name}"
        )
