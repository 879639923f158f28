"""The score table as text, for whoever shows one: a terminal, a page, the dashboard.

A further score is one more line in `COLUMNS`. A column that is None in all rows is not shown, so that a score
which only some swarms allow may stand here.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

_NOTHING = "–"


@dataclass(frozen=True)
class Column:
    """A column.

    Args:
        field: of a row.
        head: what stands above it, with its unit.
        write: a value as text.
        meaning: what the number is, for a legend; empty where the head says it.
    """

    field: str
    head: str
    write: Callable[[Any], str]
    meaning: str = ""


@dataclass(frozen=True)
class ScoreTable:
    """A table of text.

    Args:
        columns: those that have a value in some row; the first one names the member.
        rows: members that were run, a text for each column.
        notes: a sentence for each member that was not run, or not on all runs: its cost, and why.
    """

    columns: tuple[Column, ...]
    rows: tuple[tuple[str, ...], ...]
    notes: tuple[str, ...]

    @property
    def legend(self) -> str:
        """What the columns mean."""
        told = [f"{column.head.split(',')[0]}: {column.meaning}" for column in self.columns if column.meaning]
        return "; ".join(told)


def score_table(rows: Sequence[Any]) -> ScoreTable:
    """Lay rows out.

    Args:
        rows: dataclasses or other objects with the fields of `Row`, or some of them; best first.
    """
    run = [row for row in rows if _was_run(row)]
    columns = tuple(
        column for column in COLUMNS if any(getattr(row, column.field, None) is not None for row in run)
    )
    return ScoreTable(
        columns,
        tuple(tuple(_written(column, row) for column in columns) for row in run),
        tuple(_note(row) for row in rows if row.note),
    )


def _was_run(row: Any) -> bool:
    return not row.note or getattr(row, "mae", None) is not None


def _note(row: Any) -> str:
    if not _was_run(row):
        return f"not run: {row.member} (about {_seconds(row.seconds)}): {row.note}"
    return f"{row.member}: {row.note}"


def _written(column: Column, row: Any) -> str:
    value = getattr(row, column.field, None)
    return _NOTHING if value is None else column.write(value)


def _share(value: float) -> str:
    if value <= 0:
        return _NOTHING
    return "< 1 %" if value < 0.005 else f"{100 * value:.0f} %"


def _seconds(value: float) -> str:
    return f"{value:.1f} s" if value < 10 else f"{value:.0f} s"


def _digits(count: int) -> Callable[[float], str]:
    return lambda value: f"{value:.{count}f}"


COLUMNS = (
    Column("member", "method", str),
    Column("weight", "share", _share, "of the answer"),
    Column("mae", "error, nats", _digits(4), "mean absolute error of the objective"),
    Column("r2", "R²", _digits(3)),
    Column("spearman", "rank", _digits(3), "Spearman's correlation for the objective"),
    Column("target_spearman", "rank by target", _digits(3), "its median over targets"),
    Column(
        "transfer_spearman", "rank by transfer", _digits(3), "of the largest runs, by fits to smaller ones"
    ),
    Column("transfer_r2", "R² by transfer", _digits(3), "of these, after the best increasing line"),
    Column("fidelity_in_sample", "R² in sample", _digits(3), "of a law, on the very runs it was fitted to"),
)
