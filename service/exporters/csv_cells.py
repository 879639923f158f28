"""Cells of a CSV file that no spreadsheet takes for a formula.

Spreadsheets run text that begins with `=`, `+`, `-`, `@`, a tab or a carriage return (OWASP, "CSV
Injection"). Such text gets an apostrophe in front, which they take as the sign of text. Numbers stay numbers.
"""

import csv
import io
from collections.abc import Sequence

Cell = str | int | float | None
_ACTIVE = ("=", "+", "-", "@", "\t", "\r", "\n")


def row(cells: Sequence[Cell]) -> str:
    """One line of a CSV file, with its end."""
    line = io.StringIO()
    csv.writer(line, lineterminator="\r\n").writerow([_inert(cell) for cell in cells])
    return line.getvalue()


def _inert(cell: Cell) -> str | int | float:
    if cell is None:
        return ""
    if isinstance(cell, str) and cell.lstrip(" ").startswith(_ACTIVE):
        return f"'{cell}"
    return repr(cell) if isinstance(cell, float) else cell
