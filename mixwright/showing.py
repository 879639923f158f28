"""Text on the terminal: names come from files, and may hold markup or commands to the terminal."""

from collections.abc import Sequence

from rich import box
from rich.cells import cell_len
from rich.console import Console
from rich.markup import escape
from rich.padding import Padding
from rich.table import Table
from rich.text import Text

_BREAKS = "_/-."  # a long name is broken after one of these
_NARROWEST = 12
_BETWEEN = 2  # blanks beside each column


def visible(text: str) -> str:
    """Text as rich may print it: markup is text, and what cannot be seen is written out."""
    return escape(_plain(text))


def say(console: Console, sentence: str, *, style: str = "", indent: int = 0) -> None:
    """Print a sentence, broken between words; into a pipe as one line, which programs can search."""
    text = Text(_plain(sentence), style)
    if console.is_terminal:
        console.print(Padding(text, (0, 0, 0, indent)))
    else:
        console.print(Text(" " * indent).append_text(text), soft_wrap=True)


def table(
    console: Console, heads: Sequence[str], rows: Sequence[Sequence[str]], *, total: bool = False
) -> Table:
    """A table of names and numbers; in a narrow terminal heads and names are broken, and nothing is cut.

    Args:
        console: whose width it has to fit.
        heads: of the columns; the first one holds names.
        rows: the cells.
        total: whether the last row stands apart.
    """
    filled = Table(box=box.SIMPLE_HEAD, show_edge=False, pad_edge=False, padding=(0, _BETWEEN - 1, 0, 0))
    heads, rows = [_plain(head) for head in heads], [[_plain(cell) for cell in row] for row in rows]
    cells = [[0, *(cell_len(row[at]) for row in rows)] for at in range(len(heads))]
    widths = [max(cell_len(head), *own) for head, own in zip(heads, cells, strict=True)]
    if sum(widths) + _BETWEEN * len(widths) > console.width:
        words = [max(cell_len(word) for word in head.split()) for head in heads]
        widths = [max(word, *own) for word, own in zip(words, cells, strict=True)]
    room = max(console.width - sum(widths[1:]) - _BETWEEN * len(widths), _NARROWEST)
    filled.add_column(escape(heads[0]))
    for head, width in zip(heads[1:], widths[1:], strict=True):
        filled.add_column(escape(head), justify="right", min_width=width, max_width=width)
    for number, (name, *numbers) in enumerate(rows, start=2):
        apart = total and number == len(rows)
        filled.add_row(_broken(name, room), *(escape(cell) for cell in numbers), end_section=apart)
    return filled


def _plain(text: str) -> str:
    return "".join(c if c.isprintable() or c == "\n" else ascii(c)[1:-1] for c in text)


def _broken(name: str, width: int) -> str:
    """A name on as many lines as it takes."""
    lines, line = [], ""
    for part in _parts(name):
        if line and cell_len(line) + cell_len(part) > width:
            lines.append(line)
            line = ""
        line += part
    return escape("\n".join([*lines, line]))


def _parts(name: str) -> list[str]:
    parts, start = [], 0
    for end, character in enumerate(name, start=1):
        if character in _BREAKS:
            parts.append(name[start:end])
            start = end
    return [*parts, name[start:]]
