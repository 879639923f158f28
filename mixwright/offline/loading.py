"""Runs for the offline commands: from files, or from a study of the service."""

from collections.abc import Sequence
from pathlib import Path

from rich.console import Console
from rich.markup import escape

from mixlaws.swarm import Swarm
from mixwright.problems import CommandError
from service.importers.reading import read_runs
from service.importers.report import ImportReport
from service.importers.rules import ImportedRuns

_SERVICE = "service:"


def load(
    runs: str,
    *,
    format_name: str | None,
    size: str | None,
    step: int | None,
    maximise: Sequence[str] | None,
    url: str,
    key: str | None,
) -> ImportedRuns:
    """The runs that a command names.

    Raises:
        ImportRefusedError: they cannot be read.
        CommandError: an option does not fit where they come from.
    """
    if not runs.startswith(_SERVICE):
        return read_runs(Path(runs), format_name=format_name, size=size, step=step, maximise=maximise or ())
    if format_name or size or step is not None or maximise:
        raise CommandError(f"{runs}: --format, --size, --step and --maximise are for files")
    # Imported here: files need no client.
    from mixwright.offline.study import runs_of_study  # noqa: PLC0415

    return runs_of_study(runs.removeprefix(_SERVICE), url=url, key=key)


def chosen(swarm: Swarm, targets: Sequence[str] | None) -> Swarm:
    """The swarm with the targets that were asked for."""
    return swarm.only(list(dict.fromkeys(targets))) if targets else swarm


def tell(report: ImportReport, console: Console) -> None:
    """Print a report, a line each; what was left out stands out."""
    head, *more = report.sentences()
    console.print(escape(head), highlight=False, soft_wrap=True)
    for sentence in more:
        console.print(f"  [yellow]{escape(sentence)}[/]", highlight=False, soft_wrap=True)
