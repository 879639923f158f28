"""Checks of options, made before a command starts anything."""

from pathlib import Path

import typer


def in_existing_folder(file: Path | None) -> Path | None:
    """A file that is written in the end must have a place from the start."""
    if file is not None and not file.parent.is_dir():
        raise typer.BadParameter(f"there is no folder {file.parent}: make it first")
    return file


def printable_name(name: str) -> str:
    """A name as the API takes it, too."""
    if not 1 <= len(name) <= 100 or not name.isprintable():
        raise typer.BadParameter("a name has 1 to 100 characters, all of which can be seen")
    return name
