"""What a page lets people choose of a method: its numbers and choices among few; the rest is the API's."""

import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, fields
from types import UnionType
from typing import Any, Literal, Union, get_args, get_origin, get_type_hints


@dataclass(frozen=True)
class Parameter:
    """A hyperparameter.

    Args:
        name: of the field.
        usual: its default in words.
        others: other values that it may have, as JSON, with their words; none for a number.
    """

    name: str
    usual: str
    others: tuple[tuple[str, str], ...] = ()


def parameters(methods: Mapping[str, type[Any]]) -> dict[str, list[Parameter]]:
    """Hyperparameters by method: numbers, yes or no, and choices among names."""
    return {name: list(_of(cls)) for name, cls in methods.items()}


def _of(cls: type[Any]) -> Iterator[Parameter]:
    kinds = get_type_hints(cls)
    for one in fields(cls):
        values = list(_values(kinds[one.name]))
        if float in values or int in values:
            yield Parameter(one.name, _words(one.default))
        elif values:
            others = tuple((json.dumps(value), _words(value)) for value in values if value != one.default)
            yield Parameter(one.name, _words(one.default), others)


def _values(kind: Any) -> Iterator[Any]:
    """The values that a type lists one by one; `int` and `float` themselves for numbers."""
    if kind in {int, float}:
        yield kind
    elif kind is bool:
        yield from (True, False)
    elif get_origin(kind) is Literal:
        yield from get_args(kind)
    elif get_origin(kind) in {Union, UnionType}:
        for inner in get_args(kind):
            yield from _values(inner)


def _words(value: Any) -> str:
    if isinstance(value, bool):
        return "yes" if value else "no"
    if value is None:
        return "as usual"
    return f"{value:g}" if isinstance(value, float) else str(value)
