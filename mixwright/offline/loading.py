"""What the offline commands do with runs before anything else: load, tell the report, choose targets."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from rich.console import Console
from rich.markup import escape

from mixlaws.swarm import Swarm
from mixwright.problems import CommandError
from service.importers.reading import read_runs
from service.importers.report import ImportReport
from service.importers.rules import ImportedRuns

SERVICE = "service:"


@dataclass(frozen=True)
class Choice:
    """What is taken of a file: its format, a size and a step of it, and metrics to maximise."""

    format_name: str | None
    size: str | None
    step: int | None
    maximise: tuple[str, ...]


def load(runs: str, choice: Choice, *, url: str, key: str | None) -> tuple[ImportedRuns, dict[str, float]]:
    """Runs of a file or folder, or of a study, with the objective that the study states; a file has none.

    Raises:
        ImportRefusedError: they cannot be read.
        CommandError: an option does not fit where they come from.
    """
    if not runs.startswith(SERVICE):
        return read_runs(
            Path(runs),
            format_name=choice.format_name,
            size=choice.size,
            step=choice.step,
            maximise=choice.maximise,
        ), {}
    if choice != Choice(None, None, None, ()):
        raise CommandError(f"{runs}: --format, --size, --step and --maximise are for files")
    from mixwright.offline.study import runs_of_study  # noqa: PLC0415 - files need no client

    return runs_of_study(runs.removeprefix(SERVICE), url=url, key=key)


def chosen(swarm: Swarm, targets: Sequence[str] | None) -> Swarm:
    """The swarm with the targets that were asked for."""
    return swarm.only(list(dict.fromkeys(targets))) if targets else swarm


def tell(report: ImportReport, console: Console) -> None:
    """Print a report, a line each; what was left out stands out."""
    head, *more = report.sentences()
    console.print(escape(head), highlight=False, soft_wrap=True)
    for sentence in more:
        console.print(f"  [yellow]{escape(sentence)}[/]", highlight=False, soft_wrap=True)
