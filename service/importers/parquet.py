"""Parquet files as rows of text. pyarrow is needed for them alone, and imported where one is opened."""

from pathlib import Path
from typing import Any

from service.importers.errors import ImportRefusedError


def columns(path: Path) -> tuple[str, ...]:
    """Names of the columns of a file."""
    reader = _reader()
    try:
        return tuple(reader.read_schema(path).names)
    except (OSError, ValueError) as error:
        raise ImportRefusedError(f"{path.name} is not a Parquet file: {error}") from None


def rows(path: Path) -> tuple[list[str], list[tuple[str, list[str]]]]:
    """Names of the columns, and for every row its place and its cells; what is null is empty."""
    reader = _reader()
    try:
        table = reader.read_table(path)
    except (OSError, ValueError) as error:
        raise ImportRefusedError(f"{path.name} is not a Parquet file: {error}") from None
    by_column: list[list[object]] = [column.to_pylist() for column in table.columns]
    found = [
        (f"row {number}", ["" if cell is None else str(cell).strip() for cell in cells])
        for number, cells in enumerate(zip(*by_column, strict=True), start=1)
    ]
    return list(table.column_names), found


def _reader() -> Any:
    try:
        from pyarrow import parquet  # noqa: PLC0415 - for Parquet alone
    except ModuleNotFoundError:
        raise ImportRefusedError(
            "pyarrow is not installed, which reads Parquet: pip install pyarrow, or give the table as CSV"
        ) from None
    return parquet
