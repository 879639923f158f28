"""Tables as text: CSV and Parquet, read into rows of cells that are checked when they are used."""

import csv
import math
from dataclasses import dataclass
from pathlib import Path

from service.importers import parquet
from service.importers.errors import ImportRefusedError

_EMPTY = {"", "null", "none", "na", "n/a"}  # what writers of tables put where nothing was measured
TABLES = (".csv", ".parquet")


@dataclass(frozen=True)
class Row:
    """One row of a table, which knows where it stood."""

    place: str
    cells: dict[str, str]

    def text(self, column: str) -> str:
        """A cell that must not be empty."""
        value = self.cells[column]
        if not value:
            raise ImportRefusedError(f"{self.place}: the column {column!r} is empty: fill it in")
        return value

    def number(self, column: str) -> float | None:
        """A cell as a number, which may be NaN or infinite; None if nothing stands there."""
        value = self.cells[column]
        if value.lower() in _EMPTY:
            return None
        try:
            return float(value)
        except ValueError:
            raise ImportRefusedError(f"{self.place}: {column!r} is {value!r}: expected a number") from None

    def whole(self, column: str) -> int | None:
        """A cell as a whole number; None if nothing stands there."""
        value = self.number(column)
        if value is None:
            return None
        if not math.isfinite(value) or value != int(value):
            raise ImportRefusedError(f"{self.place}: {column!r} is {value}: expected a whole number")
        return int(value)


@dataclass(frozen=True)
class Table:
    """A table with distinct column names."""

    file: str
    columns: tuple[str, ...]
    rows: tuple[Row, ...]

    def require(self, *columns: str) -> None:
        """Check that columns are there.

        Raises:
            ImportRefusedError: one is missing; the message names those that exist.
        """
        missing = [column for column in columns if column not in self.columns]
        if missing:
            raise ImportRefusedError(
                f"{self.file}: no column {missing[0]!r}: it has {', '.join(self.columns[:12])}"
            )

    def prefixed(self, prefix: str) -> list[str]:
        """Columns that start with a prefix, in their order."""
        return [column for column in self.columns if column.startswith(prefix)]

    def is_numeric(self, column: str) -> bool:
        """Whether a column holds numbers, or nothing at all, in its first filled row."""
        for row in self.rows:
            if row.cells[column]:
                try:
                    row.number(column)
                except ImportRefusedError:
                    return False
                return True
        return True


def is_number(text: str) -> bool:
    """Whether a cell is written as a number, however it may turn out to be used."""
    try:
        float(text)
    except ValueError:
        return False
    return True


def read_columns(path: Path) -> tuple[str, ...]:
    """Names of the columns of a table."""
    return parquet.columns(path) if path.suffix == ".parquet" else _csv_header(path)


def read_table(path: Path) -> Table:
    """Read a table.

    Raises:
        ImportRefusedError: the file is no such table, or a row has other columns than the first.
    """
    columns, rows = parquet.rows(path) if path.suffix == ".parquet" else _csv(path)
    twice = sorted({column for column in columns if columns.count(column) > 1})
    if twice:
        raise ImportRefusedError(f"{path.name}: the column {twice[0]!r} stands twice: rename one of them")
    if not rows:
        raise ImportRefusedError(f"{path.name} has no rows below its header")
    named = [Row(f"{path.name}, {place}", dict(zip(columns, cells, strict=True))) for place, cells in rows]
    return Table(path.name, tuple(columns), tuple(named))


def _csv_header(path: Path) -> tuple[str, ...]:
    return tuple(_csv(path, most=0)[0])


def _csv(path: Path, most: int | None = None) -> tuple[list[str], list[tuple[str, list[str]]]]:
    rows: list[tuple[str, list[str]]] = []
    try:
        with path.open(newline="", encoding="utf-8-sig") as file:
            reader = csv.reader(file)
            columns = [name.strip() for name in next(reader, [])]
            if not any(columns):
                raise ImportRefusedError(f"{path.name} has no header: its first line must name the columns")
            for cells in reader:
                if most is not None and len(rows) >= most:
                    break
                if not cells:
                    continue  # an empty line at the end
                if len(cells) != len(columns):
                    raise ImportRefusedError(
                        f"{path.name}, line {reader.line_num}: {len(cells)} cells under {len(columns)} "
                        "columns: the file may be cut off"
                    )
                rows.append((f"line {reader.line_num}", [cell.strip() for cell in cells]))
    except (UnicodeDecodeError, csv.Error) as error:
        raise ImportRefusedError(f"{path.name} is not a CSV in UTF-8: {error}") from None
    return columns, rows
