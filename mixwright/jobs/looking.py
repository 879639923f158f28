"""`mixwright job list`, `show`, `versions` and `audit`: what live jobs do, and why."""

import json as json_module
from typing import TYPE_CHECKING, Annotated

import typer
from rich.console import Console

from mixwright.jobs.calling import JobName
from mixwright.offline import options
from mixwright.offline.grouped import grouped
from mixwright.studies.calling import connected

if TYPE_CHECKING:
    from mixclient.documents.jobs import AuditOut, JobOut

_MOST_SHOWN = 1000  # what one answer of the service holds

Last = Annotated[
    int, typer.Option(min=1, max=_MOST_SHOWN, help="How many of the newest to show.", metavar="NUMBER")
]


@grouped
def list_jobs(*, json: options.Json = False, service: options.Service) -> None:
    """List the jobs of the project, newest first."""
    from mixwright.jobs import tables  # noqa: PLC0415

    with connected(service) as client:
        jobs = client.jobs()
    if json:
        typer.echo(json_module.dumps(jobs))
        return
    heads = ["job", "policy", "attempt", "version", "reported step", "last report", "weights"]
    rows = [
        [
            job["name"],
            job["definition"]["policy"],
            str(job["attempt"]),
            str(job["version"]),
            str(job["reported_step"]),
            tables.moment(job["last_report_at"]),
            "held" if job["hold"] else "in shadow" if job["shadow"] else "steered",
        ]
        for job in jobs
    ]
    Console().print(tables.worded(heads, rows, words=["job"]))


@grouped
def show(job: JobName, *, json: options.Json = False, service: options.Service) -> None:
    """Show a job: what steers it, its counters, and how long its domains last."""
    from mixwright.jobs import tables  # noqa: PLC0415
    from mixwright.showing import say, table  # noqa: PLC0415

    with connected(service) as client:
        told, domains = client.job(job), client.job_domains(job)
    if json:
        typer.echo(json_module.dumps({"job": told, "domains": domains}))
        return
    console = Console()
    for sentence in _essentials(told):
        say(console, sentence)
    console.print()
    console.print(table(console, *tables.of_domains(domains)))
    say(
        console,
        "realised is the share of all tokens that were reported, intended what the weights in force stood "
        "for; steps are forecasts with the newest weights",
        style="dim",
    )


@grouped
def versions(job: JobName, *, last: Last = 20, json: options.Json = False, service: options.Service) -> None:
    """List the versions of a job's schedule, and what became of each."""
    from mixwright.jobs import tables  # noqa: PLC0415

    with connected(service) as client:
        found = client.versions(job)
    if json:
        typer.echo(json_module.dumps(found))
        return
    heads = ["version", "attempt", "from step", "what became of it", "weights", "reason"]
    rows = [
        [
            str(version["version"]),
            str(version["attempt"]),
            str(version["effective_step"]),
            tables.fate(version),
            tables.shares(version["weights"]),
            version["reason"],
        ]
        for version in found[-last:]
    ]
    console = Console()
    console.print(tables.worded(heads, rows, words=["weights", "reason"]))
    tables.tell_hidden(console, len(rows), len(found))


@grouped
def audit(job: JobName, *, last: Last = 20, json: options.Json = False, service: options.Service) -> None:
    """List who or what changed a job, when and why."""
    from mixwright.jobs import tables  # noqa: PLC0415

    with connected(service) as client:
        entries = client.job_audit(job) if json else client.job_audit.page(None, job, limit=last).items
    if json:
        typer.echo(json_module.dumps(entries))
        return
    heads = ["when", "place", "step", "who", "what", "why"]
    rows = [
        [
            tables.moment(entry["at"]),
            str(entry["seq"]),
            str(entry["step"]),
            entry["actor"],
            _what(entry),
            entry["reason"],
        ]
        for entry in reversed(entries)
    ]
    Console().print(tables.worded(heads, rows, words=["who", "why"]))


def _what(entry: "AuditOut") -> str:
    """What an entry of the audit trail is."""
    told: str = entry["kind"].replace("_", " ")
    if entry["version"] is not None:
        told = f"{told} {entry['version']}" if told == "version" else f"{told} to version {entry['version']}"
    return f"{told}, taken back" if entry["taken_back"] else told


def _steered_by(job: "JobOut") -> str:
    """Who holds the weights of a job, or what chooses them."""
    if job["hold"] is not None:
        return f"{job['hold']['by']}: {job['hold']['reason']}"
    return "the prior: the policy watches" if job["shadow"] else job["definition"]["policy"]


def _essentials(job: "JobOut") -> list[str]:
    """What a job is and how it stands, in sentences."""
    from mixwright.jobs import tables  # noqa: PLC0415

    definition = job["definition"]
    params = ", ".join(f"{name}={value}" for name, value in definition["params"].items())
    published, applied, late = job["versions_published"], job["versions_applied"], job["versions_too_late"]
    steers = f"policy {definition['policy']}{f' ({params})' if params else ''}"
    pace = f"lead {definition['lead_steps']} steps, ttl {definition['ttl_steps']} steps"
    samples, sources = definition["samples_per_step"], ", ".join(definition["sources"])
    accepted, came_late, twice = job["reports_accepted"], job["reports_late"], job["reports_duplicate"]
    ended = job["ended"]
    last = []
    if ended is not None:
        last.append(f"ended at {tables.moment(ended['at'])} by {ended['by']}: {ended['reason']}")
    if job["reports_forgotten"]:
        last.append(f"{job['reports_forgotten']} of its reports were dropped since: it cannot be replayed")
    return [
        f"{job['name']}: {steers}, {len(definition['domains'])} domains, {samples} samples a step, {pace}",
        f"attempt {job['attempt']}, version {job['version']}, steered by {_steered_by(job)}",
        f"step {job['reported_step']} reported, last at {tables.moment(job['last_report_at'])} by {sources}",
        f"reports: {accepted} accepted, {came_late} late, {twice} came twice",
        f"versions after the first: {published} published, {applied} applied, {late} too late",
        *last,
    ]
