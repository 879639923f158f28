"""Tables and sentences fit the terminal, lose nothing, and are no commands to it."""

import io

import pytest
from rich.console import Console

from mixlaws.auto.members import MEMBERS
from mixwright.showing import say, table

HEADS = ["method", "share", "error, nats", "R²", "rank", "rank by target"]
ROWS = [[name, "100 %", "0.0044", "-0.123", "-0.999", "0.986"] for name in MEMBERS]
HOSTILE = "\x1b[31mred\x1b[0m\x07 [bold]loud[/bold] \u202e <script>"


def shown(width: int, heads: list[str], rows: list[list[str]]) -> str:
    console = Console(file=io.StringIO(), width=width, force_terminal=True, color_system=None)
    console.print(table(console, heads, rows))
    text = console.file.getvalue()  # type: ignore[attr-defined]
    assert isinstance(text, str)
    return text


@pytest.mark.parametrize("width", [60, 80, 120])
def test_no_line_is_wider_than_the_terminal_and_no_cell_is_cut(width: int) -> None:
    text = shown(width, HEADS, ROWS)
    assert max(len(line.rstrip()) for line in text.splitlines()) <= width
    assert "…" not in text
    for row in ROWS:
        # A name may go over several lines, in its order.
        at = -1
        for part in row[0].split("_"):
            at = text.find(part, at + 1)
            assert at >= 0, part
    assert text.count("-0.999") == len(ROWS)


def test_at_eighty_columns_every_name_stands_in_one_line() -> None:
    lines = shown(80, HEADS, ROWS).splitlines()
    for name in MEMBERS:
        assert any(line.split()[:1] == [name] for line in lines), name


def test_names_are_text_whatever_they_hold() -> None:
    console = Console(file=io.StringIO(), width=200, force_terminal=True, color_system=None)
    say(console, HOSTILE)
    console.print(table(console, ["name", HOSTILE], [[HOSTILE, HOSTILE]]))
    text = console.file.getvalue()  # type: ignore[attr-defined]
    assert "\x1b[31m" not in text
    assert "\x07" not in text
    assert "\u202e" not in text
    assert text.count(r"\x1b[31mred\x1b[0m\x07 [bold]loud[/bold] \u202e <script>") == 4


def test_a_sentence_in_a_pipe_is_one_line_and_on_a_terminal_is_broken_between_words() -> None:
    sentence = "word " * 30 + "end"
    piped = Console(file=io.StringIO(), width=40)
    say(piped, sentence)
    assert piped.file.getvalue() == sentence + "\n"  # type: ignore[attr-defined]
    terminal = Console(file=io.StringIO(), width=42, force_terminal=True, color_system=None)
    say(terminal, sentence, indent=2)
    lines = terminal.file.getvalue().splitlines()  # type: ignore[attr-defined]
    assert {word for line in lines for word in line.split()} == {"word", "end"}
    assert all(line.startswith("  ") and len(line) <= 42 for line in lines)
