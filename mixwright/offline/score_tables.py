"""How well a fit predicts runs that it did not see, as tables."""

from collections.abc import Mapping, Sequence
from dataclasses import fields, is_dataclass
from typing import Any

from rich.console import Console
from rich.markup import escape
from rich.table import Column, Table

from mixlaws.swarm_notes import notes
from mixlaws.validation import Scores
from mixwright.offline.fitting import Fitted


def tell_scores(fitted: Fitted, console: Console) -> None:
    """Print the table of a predictor that has one, and the held-out scores of every target."""
    rows = getattr(fitted.predictor, "table", None)
    if rows:
        console.print(_of_rows(rows))
    console.print(_of_scores(fitted))
    for note in notes(fitted.swarm):
        console.print(f"  [yellow]{escape(note)}[/]", highlight=False, soft_wrap=True)
    console.print(_legend(fitted), highlight=False, soft_wrap=True)


def _of_scores(fitted: Fitted) -> Table:
    noise = fitted.noise
    numbers = (Column(name, justify="right") for name in _heads(fitted))
    table = Table(Column("target", overflow="fold"), *numbers)
    for number, (target, scores) in enumerate(fitted.scores.items()):
        deviation = [] if noise is None else [f"{noise[number]:.4f}"]
        table.add_row(escape(target), *_cells(scores), *deviation)
    table.add_section()
    deviation = [] if fitted.objective_noise is None else [f"{fitted.objective_noise:.4f}"]
    table.add_row("[bold]objective[/]", *_cells(fitted.objective_scores), *deviation)
    return table


def _heads(fitted: Fitted) -> list[str]:
    return ["Spearman", "mean error", "R²", *([] if fitted.noise is None else ["noise"])]


def _cells(scores: Scores) -> list[str]:
    return [_number(scores.spearman, 3), f"{scores.mae:.4f}", _number(scores.r2, 3)]


def _number(value: float | None, digits: int) -> str:
    return "–" if value is None else f"{value:.{digits}f}"


def _legend(fitted: Fitted) -> str:
    parts = "one mixture left out at a time" if fitted.folds is None else f"{fitted.folds} folds"
    repeats = "" if fitted.noise is None else "; noise is the deviation of repeated mixtures"
    return (
        f"{fitted.method} on {len(fitted.swarm)} runs, seed {fitted.seed}: scores on runs it did not see "
        f"({parts}{repeats}), in {fitted.seconds:.1f} s"
    )


def _of_rows(rows: Sequence[Any]) -> Table:
    """A table of whatever rows a predictor has: mappings or dataclasses, alike in their fields."""
    plain = [_mapping(row) for row in rows]
    table = Table(*(str(name).replace("_", " ") for name in plain[0]))
    for row in plain:
        table.add_row(*(_cell(value) for value in row.values()))
    return table


def _mapping(row: Any) -> Mapping[str, Any]:
    if is_dataclass(row) and not isinstance(row, type):
        return {field.name: getattr(row, field.name) for field in fields(row)}
    return row if isinstance(row, Mapping) else {str(at): value for at, value in enumerate(row)}


def _cell(value: Any) -> str:
    if value is None:
        return "–"
    return f"{value:.4f}" if isinstance(value, float) else escape(str(value))
