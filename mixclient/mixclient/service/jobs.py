"""Live jobs: their schedule, what trainers say, and what became of it."""

from collections.abc import Sequence

from mixclient.documents.jobs import (
    AckIn,
    AcksOut,
    AttemptOut,
    AuditOut,
    DomainStatusOut,
    JobIn,
    JobOut,
    LogOut,
    ScheduleOut,
    VersionOut,
)
from mixclient.documents.reports import ReportIn, ReportsOut
from mixclient.service.answers import Tagged, a_list, nothing, tagged_unless_known
from mixclient.service.call import PAGE, Call
from mixclient.service.operation import listing, operation, stream


class Jobs:
    """What a client can do with live jobs."""

    @operation("POST", "/v1/jobs", keyed=True)
    def create_job(self, job: JobIn, *, dry_run: bool = False) -> Call[JobOut]:
        """Create a live job, or get the equal one of that name; `dry_run` checks it and stores nothing."""
        return Call(body=job, query={"dry_run": dry_run or None})

    @listing("/v1/jobs")
    def jobs(self, *, limit: int = PAGE) -> Call[JobOut]:
        """All jobs, newest first."""
        return Call(query={"limit": limit})

    @operation("GET", "/v1/jobs/{job}")
    def job(self, job: str) -> Call[JobOut]:
        """A job with its counters."""
        return Call({"job": job})

    @operation("DELETE", "/v1/jobs/{job}")
    def delete_job(self, job: str, *, confirm: str, force: bool = False) -> Call[None]:
        """Delete a job with its reports and its schedule; nothing brings it back.

        Args:
            job: its name.
            confirm: its name once more.
            force: delete it even if it has not ended.
        """
        return Call({"job": job}, query={"confirm": confirm, "force": force}, read=nothing)

    @operation("POST", "/v1/jobs/{job}/end", keyed=True)
    def end_job(self, job: str, *, reason: str) -> Call[JobOut]:
        """End a job: it takes no more reports, and its schedule stays as it is."""
        return Call({"job": job}, body={"reason": reason})

    @listing("/v1/jobs/{job}/versions")
    def versions(self, job: str, *, limit: int = PAGE) -> Call[VersionOut]:
        """Every version of a job's schedule, with what became of it."""
        return Call({"job": job}, query={"limit": limit})

    @operation("GET", "/v1/jobs/{job}/domains")
    def job_domains(self, job: str) -> Call[list[DomainStatusOut]]:
        """What a job has read of each domain, and how long each lasts."""
        return Call({"job": job}, read=a_list)

    @operation("GET", "/v1/jobs/{job}/schedule")
    def schedule(
        self, job: str, *, tag: str | None = None, wait: int = 0, timeout: float | None = None
    ) -> Call[Tagged[ScheduleOut] | None]:
        """The schedule of a job; None if it is still the one with this tag.

        Args:
            job: its name.
            tag: of the schedule that you have.
            wait: seconds for which the service holds its answer until there is another; at most 55.
            timeout: seconds to wait beyond those, instead of the client's.
        """
        headers = {"If-None-Match": tag}
        return Call({"job": job}, headers=headers, wait=wait, timeout=timeout, read=tagged_unless_known)

    @stream("/v1/jobs/{job}/schedule/events")
    def schedule_events(self, job: str, *, after: str | None = None) -> Call[Tagged[ScheduleOut]]:
        """Every new schedule of a job as it comes, until the service ends the stream.

        Args:
            job: its name.
            after: tag of the event that you saw last.
        """
        return Call({"job": job}, headers={"Last-Event-ID": after})

    @operation("POST", "/v1/jobs/{job}/reports", repeatable=True)
    def report(self, job: str, reports: Sequence[ReportIn]) -> Call[ReportsOut]:
        """Store reports, all or none; those that are there already are counted and change nothing."""
        return Call({"job": job}, body={"reports": reports})

    @operation("POST", "/v1/jobs/{job}/acks", keyed=True)
    def acknowledge(self, job: str, acks: Sequence[AckIn]) -> Call[AcksOut]:
        """Say which versions are followed, and which came too late."""
        return Call({"job": job}, body={"acks": acks})

    @operation("POST", "/v1/jobs/{job}/attempts", keyed=True)
    def open_attempt(self, job: str, from_step: int, *, state_token: str | None = None) -> Call[AttemptOut]:
        """Restart a job from a checkpoint."""
        token = {"state_token": state_token} if state_token else {}
        return Call({"job": job}, body={"from_step": from_step, **token})

    @listing("/v1/jobs/{job}/audit")
    def job_audit(self, job: str, *, limit: int = PAGE) -> Call[AuditOut]:
        """Who or what changed a job, when and why, newest first."""
        return Call({"job": job}, query={"limit": limit})

    @operation("GET", "/v1/jobs/{job}/log")
    def job_log(self, job: str, *, cursor: str | None = None, limit: int = PAGE) -> Call[LogOut]:
        """A part of the log of a job: all that its schedule follows from.

        Args:
            job: its name.
            cursor: `next` of the part before.
            limit: most entries of the part.
        """
        return Call({"job": job}, query={"cursor": cursor, "limit": limit})
