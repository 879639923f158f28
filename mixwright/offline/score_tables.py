"""How well a fit predicts runs that it did not see: the same tables on the terminal and on a page."""

from rich.console import Console

from mixlaws.auto.score_table import score_table
from mixlaws.swarm import mixture_numbers
from mixlaws.swarm_notes import notes
from mixlaws.validation import Scores
from mixwright.offline.fitting import Fitted
from mixwright.showing import say, table


def tell_scores(fitted: Fitted, console: Console) -> None:
    """Print the members of a predictor that has any, the held-out scores of every target, and the notes."""
    if fitted.members:
        _tell_members(fitted, console)
    heads, rows = of_targets(fitted)
    console.print(table(console, heads, rows, total=True))
    for note in notes(fitted.swarm):
        say(console, note, style="yellow", indent=2)
    say(console, legend(fitted))
    if fitted.members:
        say(console, fitted.members.verdict, style="bold")


def of_targets(fitted: Fitted) -> tuple[list[str], list[list[str]]]:
    """Heads and rows of the held-out scores, the objective last."""
    heads = ["target", "rank correlation", "error, nats", "R²"]
    rows = [[target, *_cells(scores)] for target, scores in fitted.scores.items()]
    rows.append(["objective", *_cells(fitted.objective_scores)])
    if fitted.noise is not None and fitted.objective_noise is not None:
        heads.append("noise, nats")
        for row, noise in zip(rows, [*fitted.noise, fitted.objective_noise], strict=True):
            row.append(f"{noise:.4f}")
    return heads, rows


def legend(fitted: Fitted) -> str:
    """Where the scores come from."""
    distinct = int(mixture_numbers(fitted.swarm.weights).max()) + 1
    parts = fitted.held_out.parts
    held_out = "one mixture left out at a time" if parts == distinct else f"{parts} folds"
    repeats = "" if fitted.noise is None else "; noise is the deviation of repeated mixtures"
    return (
        f"{fitted.method} on {len(fitted.swarm)} runs, seed {fitted.seed}: scores on runs it did not see "
        f"({held_out}{repeats}), in {fitted.seconds:.1f} s"
    )


def _tell_members(fitted: Fitted, console: Console) -> None:
    members = score_table(fitted.members.table if fitted.members else ())
    console.print(table(console, [column.head for column in members.columns], members.rows))
    say(console, members.legend, style="dim")
    for sentence in members.notes:
        say(console, sentence, style="dim")
    console.print()


def _cells(scores: Scores) -> list[str]:
    return [_number(scores.spearman, 3), f"{scores.mae:.4f}", _number(scores.r2, 3)]


def _number(value: float | None, digits: int) -> str:
    return "–" if value is None else f"{value:.{digits}f}"
