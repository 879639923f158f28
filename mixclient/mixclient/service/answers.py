"""Answers of the service: what they hold, and problems as errors."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Generic, TypeVar

import httpx

from mixclient.backoff import asked_seconds
from mixclient.errors import (
    NOT_A_PROBLEM,
    ConflictError,
    ForeignAnswerError,
    NotAuthorisedError,
    NotFoundError,
    ServiceError,
)

T = TypeVar("T")

_KINDS: dict[int, type[ServiceError]] = {
    401: NotAuthorisedError,
    403: NotAuthorisedError,
    404: NotFoundError,
    409: ConflictError,
}
_LONGEST_DETAIL = 500  # characters of a foreign error page that are worth showing


@dataclass(frozen=True)
class Tagged(Generic[T]):
    """An answer and the tag of its content.

    Args:
        value: what the service said.
        tag: changes with the value; to be given with a change, or when asking for a newer value. None if a
            server in between took it off.
    """

    value: T
    tag: str | None


@dataclass(frozen=True)
class Page(Generic[T]):
    """A part of a list.

    Args:
        items: of this page.
        next: cursor of the page after it; None at the end.
    """

    items: list[T]
    next: str | None


def decoded(response: httpx.Response) -> Any:
    """The JSON of an answer.

    Raises:
        ForeignAnswerError: it is not JSON, such as the page of a proxy in between.
    """
    try:
        return response.json()
    except (ValueError, RecursionError):
        start = response.text[:80]
        raise ForeignAnswerError(f"{response.request.url}: the answer is not JSON but {start!r}") from None


def an_object(response: httpx.Response) -> Any:
    """The JSON object of an answer.

    Raises:
        ForeignAnswerError: it is something else.
    """
    return _as(dict, response, "an object")


def a_list(response: httpx.Response) -> Any:
    """The JSON list of an answer.

    Raises:
        ForeignAnswerError: it is something else.
    """
    return _as(list, response, "a list")


def the_list(name: str) -> Callable[[httpx.Response], Any]:
    """Reads the list that an object holds under this name.

    Raises:
        ForeignAnswerError: when reading, if it holds none.
    """

    def read(response: httpx.Response) -> Any:
        value = an_object(response).get(name)
        if not isinstance(value, list):
            raise ForeignAnswerError(
                f"{response.request.url}: the answer has no list of {name}: is this the service?"
            )
        return value

    return read


def maybe_an_object(response: httpx.Response) -> Any:
    """The JSON object of an answer; None for an empty one.

    Raises:
        ForeignAnswerError: it is something else.
    """
    return an_object(response) if response.content else None


def nothing(response: httpx.Response) -> None:
    """Of an answer that tells nothing but that all went well."""


def text(response: httpx.Response) -> str:
    """The answer as it came."""
    return response.text


def tagged(response: httpx.Response) -> Tagged[Any]:
    """An object and its ETag.

    Raises:
        ForeignAnswerError: it is something else.
    """
    return Tagged(an_object(response), response.headers.get("ETag"))


def tagged_unless_known(response: httpx.Response) -> Tagged[Any] | None:
    """An object and its ETag; None if the caller has it already.

    Raises:
        ForeignAnswerError: it is something else.
    """
    return None if response.status_code == httpx.codes.NOT_MODIFIED else tagged(response)


def page(response: httpx.Response) -> Page[Any]:
    """A page of a list.

    Raises:
        ForeignAnswerError: it is something else.
    """
    document = an_object(response)
    try:
        return Page(list(document["items"]), document["next"])
    except (KeyError, TypeError):
        raise ForeignAnswerError(
            f"{response.request.url}: the answer is no page of a list: is this the service?"
        ) from None


def checked(response: httpx.Response) -> httpx.Response:
    """An answer that is known to be one of the service, and no problem.

    Raises:
        ServiceError: the service said no.
        ForeignAnswerError: it leads elsewhere.
    """
    if response.status_code >= httpx.codes.BAD_REQUEST:
        raise _problem(response)
    if not response.is_success and response.status_code != httpx.codes.NOT_MODIFIED:
        raise ForeignAnswerError(
            f"{response.request.method} {response.request.url}: status {response.status_code} leads to "
            f"{response.headers.get('Location', 'nowhere')!r}: give the address of the service itself"
        )
    return response


def _as(kind: type[Any], response: httpx.Response, name: str) -> Any:
    value = decoded(response)
    if not isinstance(value, kind):
        asked = response.request
        raise ForeignAnswerError(
            f"{asked.method} {asked.url}: the answer is not {name}: is this the service?"
        )
    return value


def _problem(response: httpx.Response) -> ServiceError:
    try:
        document = response.json()
        code, detail = str(document["code"]), str(document["detail"])
    except (ValueError, KeyError, TypeError, RecursionError):
        document, code, detail = {}, NOT_A_PROBLEM, response.text[:_LONGEST_DETAIL]
    kind = _KINDS.get(response.status_code, ServiceError)
    problem = kind(response.status_code, code, detail, document)
    problem.retry_after = asked_seconds(response.headers.get("Retry-After"), response.headers.get("Date"))
    return problem
