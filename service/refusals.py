"""Codes of what the library refuses, for problem documents and for tasks that failed."""

from typing import Any

from mixlaws.errors import MixlawsError, SwarmTooSmallError
from service import errors
from service.errors import ServiceError

INSUFFICIENT_DATA = "insufficient_data"


def code_of(error: MixlawsError | ServiceError) -> str:
    """The machine-readable name of a refusal."""
    if isinstance(error, ServiceError):
        return error.code
    if isinstance(error, SwarmTooSmallError):
        return INSUFFICIENT_DATA
    return errors.code_of(type(error))


def extra_of(error: MixlawsError) -> dict[str, Any]:
    """What a problem document tells beside the words."""
    return {"needed": error.needed, "got": error.got} if isinstance(error, SwarmTooSmallError) else {}
