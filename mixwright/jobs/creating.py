"""`mixwright job create`: a live job from its definition, or one that follows a schedule given as a file."""

import json as json_module
from itertools import pairwise
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, cast

import typer
from rich.console import Console

from mixwright.jobs.calling import JobName
from mixwright.offline import options
from mixwright.offline.grouped import grouped
from mixwright.studies.calling import connected

if TYPE_CHECKING:
    from mixclient.documents.jobs import JobIn


@grouped
def create(
    job: JobName,
    *,
    definition: Annotated[
        Path | None,
        typer.Option("--file", help="The job as JSON, as the API takes it.", metavar="FILE"),
    ] = None,
    schedule: Annotated[
        Path | None,
        typer.Option(help="A schedule to follow by hand, such as a proposal gives.", metavar="FILE"),
    ] = None,
    lead_steps: Annotated[
        int, typer.Option(help="Steps ahead of the last reported one, for orders given later.", min=0)
    ] = 50,
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Check it, and store nothing.")] = False,
    json: options.Json = False,
    service: options.Service,
) -> None:
    """Create a live job, from its definition or to follow a schedule."""
    if (definition is None) == (schedule is None):
        raise typer.BadParameter("give the job with --file, or a schedule to follow with --schedule")
    if schedule is not None:
        body = following(_read(schedule), lead_steps=lead_steps)
    else:
        body = _read(definition or Path())
    with connected(service) as client:
        # The service checks what a file holds.
        made = client.create_job(cast("JobIn", {**body, "name": job}), dry_run=dry_run)
    if json:
        typer.echo(json_module.dumps(made))
        return
    from mixwright.showing import say  # noqa: PLC0415

    what = f"job {job} follows policy {made['definition']['policy']} with {len(body['domains'])} domains"
    say(Console(), f"dry run, nothing was stored: {what}" if dry_run else what)


def following(schedule: dict[str, Any], *, lead_steps: int) -> dict[str, Any]:
    """The definition of a job that follows a schedule document by hand.

    Raises:
        BadParameter: it is no such document, or does not begin at step 0.
    """
    try:
        stages, steps = schedule["stages"], [stage["effective_step"] for stage in schedule["stages"]]
        if schedule["schema"] != "mixture-schedule/v1" or steps[0] != 0:
            raise typer.BadParameter("expected a mixture-schedule/v1 that begins at step 0")
        lengths = [*(later - step for step, later in pairwise(steps)), None]
        plan = [
            {"weights": stage["weights"], "steps": length}
            for stage, length in zip(stages, lengths, strict=True)
        ]
        return {
            "policy": "handwritten",
            "params": {"plan": plan},
            "signals": ["losses"],
            "domains": schedule["domains"],
            "samples_per_step": schedule["samples_per_step"],
            "lead_steps": lead_steps,
        }
    except (KeyError, TypeError, IndexError) as error:
        raise typer.BadParameter(f"not a usable mixture-schedule/v1: {error!r}") from None


def _read(path: Path) -> dict[str, Any]:
    try:
        raw = json_module.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError) as error:
        raise typer.BadParameter(f"{path}: {error}") from None
    if not isinstance(raw, dict):
        raise typer.BadParameter(f"{path}: expected a JSON object")
    return raw
