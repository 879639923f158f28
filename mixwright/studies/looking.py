"""`mixwright study list`, `show` and `delete`."""

import json as json_module
from typing import TYPE_CHECKING, Annotated

import typer
from rich.console import Console

from mixwright.offline import options
from mixwright.offline.grouped import grouped
from mixwright.studies.calling import StudyName, connected

if TYPE_CHECKING:
    from mixclient.documents.studies import StudyOut

Confirm = Annotated[
    str | None, typer.Option(help="The name once more, where nobody can be asked.", metavar="NAME")
]
Force = Annotated[bool, typer.Option("--force", help="Delete it even if workers train its runs.")]


@grouped
def list_studies(*, json: options.Json = False, service: options.Service) -> None:
    """List the studies of the project, newest first."""
    from mixwright.jobs import tables  # noqa: PLC0415

    with connected(service) as client:
        studies = client.studies(counts=True)
    if json:
        typer.echo(json_module.dumps(studies))
        return
    rows = [
        [
            study["name"],
            str(len(study["definition"]["domains"])),
            str(len(study["definition"]["targets"] or ())),
            _runs(study),
            tables.moment(study["created_at"]),
        ]
        for study in studies
    ]
    heads = ["study", "domains", "targets", "runs", "created"]
    Console().print(tables.worded(heads, rows, words=["study", "runs"]))


@grouped
def show(study: StudyName, *, json: options.Json = False, service: options.Service) -> None:
    """Show a study: its domains, its runs and its objective."""
    from mixwright.jobs import tables  # noqa: PLC0415
    from mixwright.showing import say, table  # noqa: PLC0415

    with connected(service) as client:
        told, notes = client.study(study), client.study_notes(study).value["notes"]
    if json:
        typer.echo(json_module.dumps({**told, "notes": notes}))
        return
    definition, console = told["definition"], Console()
    say(console, f"{told['name']}: created {tables.moment(told['created_at'])}; runs: {_runs(told)}")
    domain_set, prior = definition.get("domain_set"), definition["prior"] or {}
    if domain_set:
        say(console, f"domains of {domain_set['name']}, version {domain_set['version']}")
    say(console, f"objective: {tables.shares(definition['objective'] or {})}")
    if notes:
        say(console, notes)
    rows = [
        [domain["name"], f"{domain['tokens']:,}", f"{prior[domain['name']]:.1%}"]
        for domain in definition["domains"]
    ]
    console.print(table(console, ["domain", "tokens", "prior"], rows))


@grouped
def delete(
    study: StudyName, *, confirm: Confirm = None, force: Force = False, service: options.Service
) -> None:
    """Delete a study with its sweeps, runs, fits and proposals. Nothing brings it back."""
    from mixwright.studies.calling import confirmed  # noqa: PLC0415

    name = confirmed("study", study, confirm)
    with connected(service) as client:
        client.delete_study(study, confirm=name, force=force)
    typer.echo(f"study {study} is deleted")


def _runs(study: "StudyOut") -> str:
    told = [f"{count} {state}" for state, count in sorted((study["runs"] or {}).items())]
    return ", ".join(told) or "none"
