"""A wide table: one row a run, `weight_` columns for the mixture, a column for each target.

Targets are the columns that start with `target_`, or else all columns of numbers that say nothing else of a
run. `run`, `seed`, `step`, `tokens` and `model_parameters` are what they are called, if they are there.
"""

from pathlib import Path

from service.importers.errors import ImportRefusedError
from service.importers.report import Finding
from service.importers.run import Run, Source, read_weights
from service.importers.table import Row, Table, read_columns, read_table
from service.importers.tidy import WEIGHT

NAME = "wide"
_TARGET = "target_"
_IDS = ("run", "run_id", "mixture_id", "index", "name")
_SCALE = {
    "seed": ("seed",),
    "step": ("step",),
    "tokens": ("tokens",),
    "model_parameters": ("model_parameters", "non_embedding_parameters"),
}
_ABOUT = {*_IDS, *(column for columns in _SCALE.values() for column in columns), "", "Unnamed: 0"}


def recognises(path: Path) -> bool:
    """Whether a table has mixtures and is not a tidy one."""
    columns = read_columns(path)
    return any(name.startswith(WEIGHT) for name in columns) and "validation_domain" not in columns


def read(path: Path) -> Source:
    """Read a table."""
    table = read_table(path)
    weights = table.prefixed(WEIGHT)
    if not weights:
        raise ImportRefusedError(
            f"{path.name}: no column starts with {WEIGHT!r}: one is needed for each domain"
        )
    targets, odd = _targets(table)
    domains = {column: column.removeprefix(WEIGHT) for column in weights}
    names = _names(table)
    runs = [
        Run(
            name=name,
            place=row.place,
            weights=read_weights(row, domains),
            values={target: row.number(column) for column, target in targets.items()},
            **{field: _whole(row, columns) for field, columns in _SCALE.items()},
        )
        for name, row in zip(names, table.rows, strict=True)
    ]
    text = "columns that are no targets, left out"
    return Source(
        format=NAME,
        files=(path.name,),
        rows=len(table.rows),
        domains=tuple(domains.values()),
        targets=tuple(targets.values()),
        runs=tuple(runs),
        findings=(Finding("columns_left_out", text, odd),) if odd else (),
    )


def _targets(table: Table) -> tuple[dict[str, str], tuple[str, ...]]:
    """Target by column, and the columns that are nothing."""
    others = [c for c in table.columns if not c.startswith(WEIGHT) and c not in _ABOUT]
    named = table.prefixed(_TARGET)
    if named:
        targets = {column: column.removeprefix(_TARGET) for column in named}
    else:
        targets = {column: column for column in others if table.is_numeric(column)}
    return targets, tuple(column for column in others if column not in targets)


def _names(table: Table) -> list[str]:
    """What the rows are called; rows without a name that are equal in all fields share one."""
    column = next((column for column in _IDS if column in table.columns), None)
    if column is not None:
        return [row.text(column) for row in table.rows]
    first: dict[tuple[str, ...], str] = {}
    return [
        first.setdefault(tuple(row.cells.values()), f"row {number}")
        for number, row in enumerate(table.rows, start=1)
    ]


def _whole(row: Row, columns: tuple[str, ...]) -> int | None:
    column = next((column for column in columns if column in row.cells), None)
    return None if column is None else row.whole(column)
