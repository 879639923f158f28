"""Options that the offline commands share, and the forms in which their values are written."""

import json
from collections.abc import Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Annotated, Any

import typer

from mixwright.options import in_existing_folder


def named_numbers(texts: Sequence[str] | None) -> dict[str, float]:
    """Values by name, from `a=1,b=2`, from several of these, or from a JSON object.

    Raises:
        BadParameter: a part is no such pair, or a name stands twice.
    """
    numbers: dict[str, float] = {}
    for text in texts or ():
        for name, value in _pairs(text):
            if name in numbers:
                raise typer.BadParameter(f"{name!r} has two values: give it one")
            numbers[name] = value
    return numbers


def token_count(text: str) -> int:
    """A number of tokens: `6000000000`, `6e9` or `6B`.

    Raises:
        BadParameter: it is none.
    """
    return _count(text, "tokens")


def count(text: str | None, what: str) -> int | None:
    """A number of tokens or parameters, if one was given.

    Raises:
        BadParameter: it is none.
    """
    return None if text is None else _count(text, what)


def numbers_of_file(path: Path, what: str) -> dict[str, float]:
    """Values by name from a file with a JSON object.

    Raises:
        BadParameter: the file cannot be read or holds something else.
    """
    try:
        raw = json.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError) as error:
        raise typer.BadParameter(f"{path}: {error}") from None
    if not isinstance(raw, dict) or not all(_is_number(value) for value in raw.values()):
        raise typer.BadParameter(f"{path}: expected a JSON object with {what} of every domain")
    return {name: float(value) for name, value in raw.items()}


def _pairs(text: str) -> list[tuple[str, float]]:
    if text.lstrip().startswith("{"):
        try:
            raw = json.loads(text)
        except ValueError as error:
            raise typer.BadParameter(f"{text!r}: {error}") from None
        if not all(_is_number(value) for value in raw.values()):
            raise typer.BadParameter(f"{text!r}: every value must be a number")
        return [(name, float(value)) for name, value in raw.items()]
    pairs = []
    for part in text.split(","):
        # A name may hold an equals sign, a number does not.
        name, found, value = part.rpartition("=")
        try:
            pairs.append((name.strip(), float(value)))
        except ValueError:
            found = ""
        if not found or not name.strip():
            raise typer.BadParameter(f"{part!r} is not of the form name=number")
    return pairs


def _count(text: str, what: str) -> int:
    sizes = {"K": 10**3, "M": 10**6, "B": 10**9, "G": 10**9, "T": 10**12}
    digits, size = (text[:-1], sizes[text[-1].upper()]) if text[-1:].upper() in sizes else (text, 1)
    try:
        number = float(digits) * size
    except ValueError:
        raise typer.BadParameter(f"{text!r} is no number of {what}: write 6000000000, 6e9 or 6B") from None
    if not 1 <= number < 2**63:
        raise typer.BadParameter(f"{text!r} {what} are too few or too many")
    return round(number)


def _is_number(value: Any) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool)


READING = "What is read"
_read = partial(typer.Option, rich_help_panel=READING)
_fit = partial(typer.Option, rich_help_panel="What is fitted")
_service = partial(typer.Option, rich_help_panel="Where the service is")

Runs = Annotated[Path, typer.Argument(help="Folder or table of finished runs.", metavar="RUNS")]
RunsOrStudy = Annotated[
    str, typer.Argument(help="Folder or table of finished runs, or service:STUDY.", metavar="RUNS")
]
Seed = Annotated[int, typer.Option(min=0, help="Seed of all that is random.", metavar="NUMBER")]
Json = Annotated[bool, typer.Option("--json", help="Print JSON.")]
Target = Annotated[
    list[str] | None,
    _read(help="A target to use; repeat it for more; by default all.", metavar="NAME"),
]
Maximise = Annotated[
    list[str] | None,
    _read(help="A metric for which higher is better; repeat it for more.", metavar="NAME"),
]
Format = Annotated[
    str | None,
    _read(
        "--format", help="regmix, olmix, tidy or wide; by default what the files look like.", metavar="NAME"
    ),
]
Objective = Annotated[
    list[str] | None,
    _fit(help="Coefficients of the targets; by default all alike.", metavar="NAME=NUMBER,..."),
]


@dataclass(frozen=True)
class Reading:
    """What is taken of the files."""

    target: Target = None
    maximise: Maximise = None
    format_name: Format = None
    size: Annotated[
        str | None,
        _read(help="Model size to take from a tidy table, as it is written there.", metavar="SIZE"),
    ] = None
    step: Annotated[
        int | None,
        _read(
            help="Step to take from a tidy table; by default the last that all runs share.", metavar="STEP"
        ),
    ] = None


@dataclass(frozen=True)
class Fitting:
    """The method and what it is fitted for."""

    method: Annotated[
        str | None,
        _fit(
            help="Law or regressor; by default auto, which tries those that have no needs of their own. "
            "An unknown name is answered with all of them.",
            metavar="NAME",
        ),
    ] = None
    setting: Annotated[
        list[str] | None,
        _fit("--set", help="A hyperparameter of the method; repeat it for more.", metavar="NAME=VALUE"),
    ] = None
    objective: Objective = None
    seed: Seed = 0


@dataclass(frozen=True)
class Service:
    """Where a study is read from or written to."""

    url: Annotated[
        str,
        _service(help="Its address.", envvar="MIXWRIGHT_URL", metavar="URL"),
    ] = "http://127.0.0.1:8321"
    key: Annotated[
        str | None,
        _service(
            help="API key; by default the admin key of this installation.",
            envvar="MIXWRIGHT_KEY",
            metavar="KEY",
        ),
    ] = None


def written_file(help_text: str) -> Any:
    """An option for a file that is written in the end."""
    return typer.Option(help=help_text, callback=in_existing_folder, dir_okay=False, metavar="FILE")


Html = Annotated[Path | None, written_file("Write a page of figures, which needs no network.")]
