"""What the database can hold of what callers send, told by field before it is tried."""

import math
import re
from typing import Any

# PostgreSQL refuses the first of these. A lone surrogate is half a character: JSON can escape one, but no
# text holds it.
_UNSTORABLE = re.compile("[\0\ud800-\udfff]")
LARGEST_INTEGER = 2**53 - 1  # what JSON readers of every language keep exactly
_DEEPEST = 32  # objects within objects; readers and writers of JSON give up a few hundred deeper


def text(value: str) -> str:
    """Text that can be stored.

    Raises:
        ValueError: a character of it cannot.
    """
    found = _UNSTORABLE.search(value)
    if found:
        raise ValueError(f"holds the character U+{ord(found[0]):04X}, which cannot be stored: remove it")
    return value


def document(value: dict[str, Any]) -> dict[str, Any]:
    """JSON of a form that is not known beforehand.

    Raises:
        ValueError: something in it cannot be stored; the message says where.
    """
    _check(value, [])
    return value


def _check(value: object, path: list[str]) -> None:
    if len(path) > _DEEPEST:
        raise ValueError(f"{'.'.join(path[:3])}... nests deeper than {_DEEPEST} levels: make it flatter")
    if isinstance(value, float) and not math.isfinite(value):
        raise ValueError(f"{'.'.join(path)} is {value}: use a finite number, or null")
    if isinstance(value, int) and abs(value) > LARGEST_INTEGER:
        raise ValueError(f"{'.'.join(path)} is beyond ±{LARGEST_INTEGER}: send it as text, or as 1.5e20")
    if isinstance(value, str):
        _check_text(value, path)
    elif isinstance(value, dict):
        for name, item in value.items():
            _check_text(name, path)
            _check(item, [*path, name])
    elif isinstance(value, list):
        for number, item in enumerate(value):
            _check(item, [*path, str(number)])


def _check_text(value: str, path: list[str]) -> None:
    try:
        text(value)
    except ValueError as error:
        raise ValueError(f"text at {'.'.join(path) or 'the top level'} {error}") from None
