"""Hyperparameters from `name=value`, checked against the fields of a method's dataclass."""

import difflib
import json
import types
from collections.abc import Mapping, Sequence
from dataclasses import fields
from typing import Any, Literal, TypeVar, Union, get_args, get_origin, get_type_hints

from mixlaws.registry import method
from mixwright.problems import CommandError

M = TypeVar("M")
_WRONG = object()


def settings(texts: Sequence[str] | None) -> dict[str, Any]:
    """Values by name from `name=value`; a value is JSON, and text where it is none.

    Raises:
        CommandError: a text has no equals sign, or a name stands twice.
    """
    values: dict[str, Any] = {}
    for text in texts or ():
        name, equals, value = text.partition("=")
        if not equals or not name:
            raise CommandError(f"--set {text!r} is not of the form name=value")
        if name in values:
            raise CommandError(f"--set {name} is given twice: give it once")
        try:
            values[name] = json.loads(value)
        except ValueError:
            values[name] = value
    return values


def build(kind: str, table: Mapping[str, type[M]], name: str, params: Mapping[str, Any]) -> M:
    """A method of the registry with its hyperparameters.

    Raises:
        UnknownMethodError: no method of that name.
        CommandError: a hyperparameter is unknown or of another type; the message names the nearest one.
        InvalidInputError: the method refuses a value.
    """
    cls: Any = method(kind, table, name)
    hints = get_type_hints(cls)
    known = {field.name: hints[field.name] for field in fields(cls) if field.init}
    accepted = {}
    for param, value in params.items():
        if param not in known:
            raise CommandError(
                f"{kind} {name!r} has no hyperparameter {param!r}: {_hint(param, list(known))}"
            )
        accepted[param] = _coerced(known[param], value)
        if accepted[param] is _WRONG:
            raise CommandError(f"{kind} {name!r}: {param} is {value!r}: expected {_shown(known[param])}")
    made: M = cls(**accepted)
    return made


def _hint(name: str, known: Sequence[str]) -> str:
    if not known:
        return "it has none"
    close = difflib.get_close_matches(name, known, n=1)
    return (f"did you mean {close[0]!r}? " if close else "") + f"known: {', '.join(known)}"


def _coerced(hint: Any, value: Any) -> Any:
    """A value as a type asks for it, or `_WRONG`."""
    if get_origin(hint) in {Union, types.UnionType}:
        # An exact match first: 1 stays a whole number where both kinds may stand.
        options = sorted(get_args(hint), key=lambda option: option is not type(value))
        return next((found for o in options if (found := _coerced(o, value)) is not _WRONG), _WRONG)
    if get_origin(hint) is Literal:
        return value if value in get_args(hint) else _WRONG
    if get_origin(hint) in {tuple, Sequence} and isinstance(value, list):
        inner = get_args(hint)[0]
        items = [_coerced(inner, item) for item in value]
        return _WRONG if any(item is _WRONG for item in items) else tuple(items)
    if get_origin(hint) is dict and isinstance(value, dict):
        named = {key: _coerced(get_args(hint)[1], item) for key, item in value.items()}
        return _WRONG if any(item is _WRONG for item in named.values()) else named
    return _plain(hint, value)


def _plain(hint: Any, value: Any) -> Any:
    if hint in {type(None), None}:
        return value if value is None else _WRONG
    if hint is float and isinstance(value, int) and not isinstance(value, bool):
        return float(value)
    if hint is int and isinstance(value, float) and value.is_integer():
        return int(value)
    if hint is str and isinstance(value, int | float):
        return str(value)
    return value if isinstance(hint, type) and type(value) is hint else _WRONG


def _shown(hint: Any) -> str:
    if get_origin(hint) in {Union, types.UnionType}:
        return " or ".join(_shown(option) for option in get_args(hint))
    if get_origin(hint) is Literal:
        return " or ".join(repr(value) for value in get_args(hint))
    if get_origin(hint) is dict:
        return f"an object of {_shown(get_args(hint)[1])} by name"
    return hint.__name__ if isinstance(hint, type) else str(hint)
