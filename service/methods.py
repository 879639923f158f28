"""Methods by name with hyperparameters from JSON: looked up in the registry, checked field by field."""

from collections.abc import Mapping
from typing import Any, TypeVar

from pydantic import TypeAdapter, ValidationError

from mixlaws.registry import method
from service.errors import InvalidRequestError

M = TypeVar("M")


def build(kind: str, table: Mapping[str, type[M]], name: str, params: Mapping[str, Any]) -> M:
    """A method with its hyperparameters.

    Raises:
        UnknownMethodError: no method of that name.
        InvalidRequestError: a hyperparameter is unknown or out of range; the detail names it.
    """
    return checked(f"{kind} {name!r}", method(kind, table, name), params)


def checked(what: str, cls: type[M], params: Mapping[str, Any]) -> M:
    """An instance of a dataclass from JSON.

    Raises:
        InvalidRequestError: a field is unknown, of the wrong type, or out of range.
    """
    try:
        # Without extra="forbid" a misspelt name of a plain dataclass is accepted in silence.
        return TypeAdapter(cls).validate_python(dict(params), extra="forbid")
    except ValidationError as error:
        first = error.errors()[0]
        place = ".".join(str(part) for part in first["loc"]) or "params"
        raise InvalidRequestError(f"{what}: {place}: {first['msg']}") from None
