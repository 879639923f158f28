"""Whether JSON can hold what a policy dumps: asked after every update, so it costs little."""

from math import isfinite
from typing import Any

_WORDS = frozenset({bool, int, str, type(None)})


def check_storable(dumped: Any) -> None:
    """Check that a value is of JSON alone, and that its numbers are finite.

    A list of numbers is looked at as a whole: to write it as text would take four times as long.

    Raises:
        ValueError: a number is infinite, or none at all.
        TypeError: something is of no type that JSON knows.
    """
    if isinstance(dumped, dict):
        if not all(isinstance(name, str) for name in dumped):
            raise TypeError(f"JSON names its values by strings, not by {list(dumped)[:3]}")
        for value in dumped.values():
            check_storable(value)
    elif isinstance(dumped, list | tuple):
        kinds = set(map(type, dumped))
        if kinds == {float}:
            _check_finite(dumped)
        elif not kinds <= _WORDS:
            for value in dumped:
                check_storable(value)
    elif isinstance(dumped, float):
        _check_finite([dumped])
    elif dumped is not None and not isinstance(dumped, str | int):
        raise TypeError(f"JSON has no {type(dumped).__name__}")


def _check_finite(numbers: list[float] | tuple[float, ...]) -> None:
    if not all(map(isfinite, numbers)):
        raise ValueError(f"{next(number for number in numbers if not isfinite(number))} is not JSON compliant")
