"""`mixwright job end` and `delete`."""

from typing import Annotated

import typer

from mixwright.jobs.calling import JobName
from mixwright.offline import options
from mixwright.offline.grouped import grouped
from mixwright.studies.calling import confirmed, connected
from mixwright.studies.looking import Confirm

Reason = Annotated[str, typer.Option(help="Why; it is shown with the job.", metavar="TEXT")]
Force = Annotated[bool, typer.Option("--force", help="Delete it even if it reports and was not ended.")]


@grouped
def end(job: JobName, *, reason: Reason, service: options.Service) -> None:
    """Say that a job is over: what is reported later is refused."""
    with connected(service) as client:
        told = client.end_job(job, reason=reason)
    typer.echo(f"job {job} ended at step {told['reported_step']}")


@grouped
def delete(job: JobName, *, confirm: Confirm = None, force: Force = False, service: options.Service) -> None:
    """Delete a job with its reports, versions and log. Nothing brings it back."""
    name = confirmed("job", job, confirm)
    with connected(service) as client:
        client.delete_job(job, confirm=name, force=force)
    typer.echo(f"job {job} is deleted")
