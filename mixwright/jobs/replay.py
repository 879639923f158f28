"""`mixwright job log` and `mixwright job replay`: what a job went through, and the same again."""

import json as json_module
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer
from rich.console import Console

from mixwright.jobs.calling import JobName
from mixwright.offline import options
from mixwright.offline.grouped import grouped
from mixwright.studies.calling import connected

if TYPE_CHECKING:
    from mixwright.jobs.log_file import JobLog


@dataclass(frozen=True)
class Instead:
    """What is asked for instead of what the job had."""

    policy: Annotated[
        str | None,
        typer.Option(
            help="Instead of comparing, tell what this policy would have published for the same reports. "
            "They were measured under the weights that really held: no log says what others lead to. Orders "
            "of people are left out, restarts are honoured.",
            rich_help_panel="Another policy",
            metavar="NAME",
        ),
    ] = None
    params: Annotated[
        str | None,
        typer.Option(
            help="Its hyperparameters; by default the job's, or its own if it is another policy.",
            rich_help_panel="Another policy",
            metavar="JSON",
        ),
    ] = None
    guards: Annotated[
        str | None,
        typer.Option(
            help="Guards that differ from the job's; they may stand alone, around the job's policy.",
            rich_help_panel="Another policy",
            metavar="JSON",
        ),
    ] = None
    figure: Annotated[
        Path | None,
        options.written_file("With another policy: draw both schedules on a page."),
    ] = None


@grouped
def log(
    job: JobName,
    *,
    out: Annotated[Path | None, options.written_file("File for the log; by default it is printed.")] = None,
    service: options.Service,
) -> None:
    """Write the whole log of a job as one JSON document, which is replayed without the service."""
    from mixwright.jobs.log_file import parsed  # noqa: PLC0415

    document = _fetched(service, job)
    whole = parsed(document, job)
    text = json_module.dumps(document, allow_nan=False)
    if out is None:
        typer.echo(text)
        return
    out.write_text(text + "\n", encoding="utf-8")
    typer.echo(f"{len(whole.entries)} places with {len(whole.weights_of)} versions of {job} in {out}")


@grouped
def replay(
    job: Annotated[str | None, typer.Argument(help="Name of the job.", metavar="JOB")] = None,
    *,
    source: Annotated[
        Path | None,
        typer.Option("--from", help="A file of `mixwright job log`, instead of JOB.", metavar="FILE"),
    ] = None,
    instead: Instead,
    json: options.Json = False,
    service: options.Service,
) -> None:
    """Compute every version again from the log and compare it, to the last bit, with what was published."""
    from mixwright.jobs import telling  # noqa: PLC0415

    changed = (instead.policy, instead.params, instead.guards) != (None, None, None)
    if instead.figure is not None and not changed:
        raise typer.BadParameter("a figure is drawn with --policy or --guards")
    whole = _read(service, job, source)
    if changed:
        _tell_instead(whole, instead, json=json)
        return
    from mixwright.jobs.comparing import compared  # noqa: PLC0415

    with _progress("replaying", len(whole.entries)) as told:
        comparison = compared(whole, told)
    if json:
        typer.echo(json_module.dumps(telling.comparison_json(whole, comparison)))
    else:
        telling.tell_comparison(whole, comparison, Console())
    if comparison.differences:
        raise typer.Exit(1)


def _tell_instead(whole: "JobLog", instead: Instead, *, json: bool) -> None:
    from mixwright.jobs import telling  # noqa: PLC0415
    from mixwright.jobs.counterfactual import counterfactual, redefined  # noqa: PLC0415

    definitions = redefined(
        whole,
        policy=instead.policy,
        params=_object(instead.params, "--params"),
        guards=_object(instead.guards, "--guards"),
    )
    with _progress("replaying", len(whole.entries)) as told:
        found = counterfactual(whole, definitions, told)
    if json:
        typer.echo(json_module.dumps(telling.counterfactual_json(whole, definitions, found)))
    else:
        telling.tell_counterfactual(whole, definitions, found, Console())
    if instead.figure is not None:
        from mixwright.jobs.replay_page import write  # noqa: PLC0415

        write(instead.figure, whole, definitions, found)


def _read(service: options.Service, job: str | None, source: Path | None) -> "JobLog":
    from mixwright.jobs.log_file import parsed, read  # noqa: PLC0415

    if (job is None) == (source is None):
        raise typer.BadParameter("give either the name of a job, or --from with a file")
    if source is not None:
        return read(source)
    return parsed(_fetched(service, str(job)), str(job))


def _fetched(service: options.Service, job: str) -> dict[str, Any]:
    from mixwright.jobs.log_file import fetched  # noqa: PLC0415

    with connected(service) as client, Console(stderr=True).status("reading the log") as status:
        return fetched(client, job, lambda count: status.update(f"reading the log: {count} places"))


@contextmanager
def _progress(doing: str, total: int) -> Iterator[Callable[[int], None]]:
    from rich.progress import BarColumn, Progress, TextColumn  # noqa: PLC0415

    columns = (TextColumn("{task.description}"), BarColumn(), TextColumn("{task.percentage:3.0f} %"))
    with Progress(*columns, console=Console(stderr=True), transient=True) as progress:
        row = progress.add_task(doing, total=total)
        yield lambda done: progress.update(row, completed=done)


def _object(text: str | None, option: str) -> dict[str, Any] | None:
    if text is None:
        return None
    try:
        raw = json_module.loads(text)
    except ValueError as error:
        raise typer.BadParameter(f"{option}: {error}") from None
    if not isinstance(raw, dict):
        raise typer.BadParameter(f'{option}: expected a JSON object, such as {{"floor": 0.01}}')
    return raw
