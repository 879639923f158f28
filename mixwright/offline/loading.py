"""What the offline commands do with runs before anything else: tell the report, choose the targets."""

from collections.abc import Sequence

from rich.console import Console
from rich.markup import escape

from mixlaws.swarm import Swarm
from service.importers.report import ImportReport


def chosen(swarm: Swarm, targets: Sequence[str] | None) -> Swarm:
    """The swarm with the targets that were asked for."""
    return swarm.only(list(dict.fromkeys(targets))) if targets else swarm


def tell(report: ImportReport, console: Console) -> None:
    """Print a report, a line each; what was left out stands out."""
    head, *more = report.sentences()
    console.print(escape(head), highlight=False, soft_wrap=True)
    for sentence in more:
        console.print(f"  [yellow]{escape(sentence)}[/]", highlight=False, soft_wrap=True)
