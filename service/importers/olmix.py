"""Olmix's tables: `ratios.csv` with `metrics.csv`, joined by `run` or `run_id`, whatever the order of rows.

Source: the input format of Olmix (Chen et al. 2026, arXiv:2602.12237). Columns of either table are the
domains and the metrics; `name` and `index` are labels.
"""

from pathlib import Path

from service.importers.errors import ImportRefusedError
from service.importers.joined import join, the_pair
from service.importers.report import Finding
from service.importers.run import Source
from service.importers.table import Table, read_columns, read_table

NAME = "olmix"
_IDS = ("run", "run_id")
_LABELS = ("name", "index", "", "Unnamed: 0")  # the last two: a row number that pandas wrote


def find(path: Path) -> tuple[Path, Path] | None:
    """The two files of a folder, or of a prefix such as `dclm_`."""
    if path.is_file():
        return next((pair for pair in _pairs(path.parent) if path in pair), None)
    pairs = _pairs(path)
    return the_pair(path, pairs, "Olmix tables") if pairs else None


def read(path: Path) -> Source:
    """Read the two files at a path that `find` knows."""
    pair = find(path)
    if pair is None:
        raise FileNotFoundError(path)
    ratios, metrics = (read_table(file) for file in pair)
    return join(
        NAME,
        (ratios, _id(ratios)),
        (metrics, _id(metrics)),
        domains={column: column for column in _others(ratios)},
        targets={column: column for column in _others(metrics) if metrics.is_numeric(column)},
        findings=_not_numbers(metrics),
    )


def _pairs(folder: Path) -> list[tuple[Path, Path]]:
    pairs = []
    for ratios in sorted(folder.glob("*ratios.csv")):
        metrics = ratios.with_name(ratios.name.removesuffix("ratios.csv") + "metrics.csv")
        if metrics.is_file() and set(_IDS) & set(read_columns(ratios)):
            pairs.append((ratios, metrics))
    return pairs


def _id(table: Table) -> str:
    for column in _IDS:
        if column in table.columns:
            return column
    raise ImportRefusedError(
        f"{table.file}: neither 'run' nor 'run_id' is a column: the tables are joined by it"
    )


def _others(table: Table) -> list[str]:
    return [column for column in table.columns if column not in _IDS and column not in _LABELS]


def _not_numbers(metrics: Table) -> tuple[Finding, ...]:
    odd = tuple(column for column in _others(metrics) if not metrics.is_numeric(column))
    text = "columns of text among the metrics, left out"
    return (Finding("columns_left_out", text, odd),) if odd else ()
