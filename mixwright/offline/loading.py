"""What the offline commands do with runs before anything else: load, tell the report, choose targets."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

from rich.console import Console

from mixlaws.swarm import Swarm
from mixwright.offline.options import Reading, Service, named_numbers
from mixwright.problems import CommandError
from mixwright.showing import say
from service.importers.reading import read_runs
from service.importers.report import ImportReport
from service.importers.rules import ImportedRuns

SERVICE = "service:"


@dataclass(frozen=True, eq=False)
class Loaded:
    """Runs, with what was asked for.

    Args:
        imported: all that was read.
        swarm: the same with the targets that were asked for.
        objective: coefficients by target: those that were asked for, else those that a study states; empty
            for all alike.
        stated: what the study was created with; empty for files.
    """

    imported: ImportedRuns
    swarm: Swarm
    objective: Mapping[str, float]
    stated: Mapping[str, Any] = field(default_factory=dict)


def load(
    runs: str,
    reading: Reading,
    objective: Sequence[str] | None = None,
    *,
    service: Service | None = None,
    console: Console | None,
) -> Loaded:
    """Runs of a file or folder, or of a study.

    Args:
        runs: the path, or `service:STUDY`.
        reading: what is taken of a file.
        objective: coefficients as they were typed.
        service: where studies are; None where there can be none.
        console: is told what was done to the runs; None for silence.

    Raises:
        ImportRefusedError: they cannot be read.
        CommandError: an option does not fit where they come from.
    """
    asked = named_numbers(objective)
    if service is None or not runs.startswith(SERVICE):
        imported, stated = _of_files(Path(runs), reading)
    else:
        imported, stated = _of_study(runs, reading, service)
    if console is not None:
        tell(imported.report, console)
    target = reading.target
    swarm = imported.swarm.only(list(dict.fromkeys(target))) if target else imported.swarm
    kept = {name: value for name, value in stated.get("objective", {}).items() if name in swarm.targets}
    return Loaded(imported, swarm, asked or kept, stated)


def tell(report: ImportReport, console: Console) -> None:
    """Print a report; what was left out stands out."""
    head, *more = report.sentences()
    say(console, head)
    for sentence in more:
        say(console, sentence, style="yellow", indent=2)


def _of_files(path: Path, reading: Reading) -> tuple[ImportedRuns, Mapping[str, Any]]:
    imported = read_runs(
        path,
        format_name=reading.format_name,
        size=reading.size,
        step=reading.step,
        maximise=reading.maximise or (),
    )
    return imported, {}  # files state nothing


def _of_study(runs: str, reading: Reading, service: Service) -> tuple[ImportedRuns, Mapping[str, Any]]:
    if replace(reading, target=None) != Reading():
        raise CommandError(f"{runs}: --format, --size, --step and --maximise are for files")
    from mixwright.offline.study import runs_of_study  # noqa: PLC0415 - files need no client

    return runs_of_study(runs.removeprefix(SERVICE), url=service.url, key=service.key)
