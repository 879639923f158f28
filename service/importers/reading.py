"""The importer that a path asks for: by the name of a format, or by what the files hold."""

import difflib
from collections.abc import Sequence
from pathlib import Path

from service.importers import olmix, regmix, tidy, wide
from service.importers.errors import ImportRefusedError, UnknownFormatError
from service.importers.rules import ImportedRuns, gathered
from service.importers.run import Source
from service.importers.table import TABLES

FORMATS = (regmix.NAME, olmix.NAME, tidy.NAME, wide.NAME)
_PAIRS = {regmix.NAME: regmix.find, olmix.NAME: olmix.find}
_SINGLE = {tidy.NAME: tidy.recognises, wide.NAME: wide.recognises}


def read_runs(
    path: Path,
    *,
    format_name: str | None = None,
    size: str | None = None,
    step: int | None = None,
    maximise: Sequence[str] = (),
) -> ImportedRuns:
    """Read proxy runs from a file or a folder.

    Args:
        path: a table, or a folder with one swarm.
        format_name: one of `FORMATS`; by default what the files look like.
        size: for tidy tables, the model size to take.
        step: for tidy tables, the step to take; by default the last one that all runs share.
        maximise: metrics for which higher is better.

    Raises:
        ImportRefusedError: no format fits, or the files break a rule of their format.
    """
    name, place = recognised(path, format_name)
    if name != tidy.NAME and (size is not None or step is not None):
        raise ImportRefusedError(
            f"{path.name} is in the format {name}, which has no sizes and steps to choose"
        )
    return gathered(_read(name, place, size, step), maximise=maximise)


def _read(name: str, place: Path, size: str | None, step: int | None) -> Source:
    if name == tidy.NAME:
        return tidy.read(place, size=size, step=step)
    reader = {regmix.NAME: regmix.read, olmix.NAME: olmix.read, wide.NAME: wide.read}[name]
    return reader(place)


def recognised(path: Path, format_name: str | None) -> tuple[str, Path]:
    """The format of a path, with the path that its reader takes.

    Raises:
        ImportRefusedError: there is no such path, no format fits, or several do.
    """
    if not path.exists():
        raise ImportRefusedError(f"there is no file or folder {path}")
    if format_name is not None and format_name not in FORMATS:
        close = difflib.get_close_matches(format_name, FORMATS, n=1)
        hint = f"did you mean {close[0]!r}? " if close else ""
        raise UnknownFormatError(f"unknown format {format_name!r}: {hint}known: {', '.join(FORMATS)}")
    if path.is_file() and format_name in _SINGLE:
        return format_name, path
    found = [(name, path) for name, find in _PAIRS.items() if format_name in {None, name} and find(path)]
    if not found:
        files = [path] if path.is_file() else sorted(path.iterdir())
        found = [
            (name, file)
            for file in files
            for name, recognises in _SINGLE.items()
            if file.suffix in TABLES and format_name in {None, name} and recognises(file)
        ]
    if len(found) == 1:
        return found[0]
    if found:
        names = ", ".join(f"{place.name} ({name})" for name, place in found)
        raise UnknownFormatError(f"{path} holds several tables: {names}: give the path of one")
    asked = f"as {format_name}" if format_name else f"in any format ({', '.join(FORMATS)})"
    raise UnknownFormatError(
        f"{path} cannot be read {asked}: a table of runs has columns weight_<domain> and a column for each "
        "target; docs/offline.md shows the formats"
    )
