"""Pages of lists: each goes on after a row and not after a number of rows, so that new rows shift nothing.

Where the next page begins is told by a cursor. It is signed for the project, the list and its filters: what
another list or project gave out, or somebody made up, is refused.
"""

import base64
import binascii
import hashlib
import hmac
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Annotated, Any, Generic, TypeVar
from urllib.parse import urlencode
from uuid import UUID

from fastapi import Depends, Query, Request, Response
from pydantic import TypeAdapter

from service import pages_repository
from service.db import SessionDep
from service.errors import InvalidCursorError
from service.listing import Found, Wanted
from service.schemas import Page

MOST_ITEMS = 1000
USUAL_ITEMS = 100
_OURS = frozenset({"limit", "cursor", "total"})  # of a query; whatever else is in it is a filter
_SIGNATURE_BYTES = 16

P = TypeVar("P")
T = TypeVar("T")


@dataclass(frozen=True)
class Cursors(Generic[P]):
    """Cursors of one list of one project.

    Args:
        key: that signs them: the same in every process on the database.
        where: the project, the list and its filters.
        position: reads and writes what they hold: the sorted columns of the last row of a page.
    """

    key: bytes
    where: str
    position: TypeAdapter[P]

    def written(self, position: P) -> str:
        """The cursor of the page after a row."""
        held = self.position.dump_json(position)
        return base64.urlsafe_b64encode(self._signature(held) + held).rstrip(b"=").decode()

    def read(self, cursor: str) -> P:
        """The row that a page goes on after.

        Raises:
            InvalidCursorError: this list of this project gave out no such cursor.
        """
        try:
            raw = base64.b64decode(cursor + "=" * (-len(cursor) % 4), altchars="-_", validate=True)
        except (binascii.Error, ValueError):
            raw = b""
        signature, held = raw[:_SIGNATURE_BYTES], raw[_SIGNATURE_BYTES:]
        if not hmac.compare_digest(signature, self._signature(held)):
            raise InvalidCursorError(
                "this cursor is of no page of this list with these filters: begin again without a cursor, "
                "and then send each `next` as it came, with the same filters"
            )
        return self.position.validate_json(held)

    def _signature(self, held: bytes) -> bytes:
        message = self.where.encode() + b"\n" + held
        return hmac.digest(self.key, message, hashlib.sha256)[:_SIGNATURE_BYTES]


class Paging(Generic[P]):
    """The page that a request asks for, and how its answer tells of the next one.

    Args:
        wanted: what is asked for.
        cursors: of the list.
        request: that asks.
        response: that gets the `Link` header.
    """

    def __init__(self, wanted: Wanted[P], cursors: Cursors[P], request: Request, response: Response) -> None:
        self.wanted = wanted
        self._cursors = cursors
        self._request = request
        self._response = response

    def page(self, found: Found[Any, P], items: Sequence[T]) -> Page[T]:
        """The answer: what was found, as it is shown."""
        return Page(items=list(items), next=self.next(found.last), total=found.total)

    def next(self, last: P | None) -> str | None:
        """The cursor of the page after a row, told in the header as well; None after the last page."""
        if last is None:
            return None
        cursor = self._cursors.written(last)
        query = [*_filters(self._request), ("limit", str(self.wanted.limit)), ("cursor", cursor)]
        # Without scheme and host: a proxy in front has others than this process.
        self._response.headers["Link"] = f'<{self._request.url.path}?{urlencode(query)}>; rel="next"'
        return cursor


Limit = Annotated[int, Query(ge=1, le=MOST_ITEMS, description="Most items of the page.")]
Cursor = Annotated[
    str | None,
    Query(max_length=1000, description="`next` of the page before, as it came; without it the first page."),
]
Total = Annotated[bool, Query(description="Whether the answer counts the items of all pages too.")]


def _counted(position: Any) -> Callable[..., Paging[Any]]:
    """A dependency that gives the paging of lists with such positions, whose rows can be counted."""
    adapter: TypeAdapter[Any] = TypeAdapter(position)

    def paging(
        request: Request,
        response: Response,
        session: SessionDep,
        limit: Limit = USUAL_ITEMS,
        cursor: Cursor = None,
        total: Total = False,
    ) -> Paging[Any]:
        if request.app.state.cursor_key is None:
            request.app.state.cursor_key = pages_repository.cursor_key(session)
        where = f"{request.scope['principal'].project_id} {request.url.path}?{urlencode(_filters(request))}"
        cursors = Cursors(request.app.state.cursor_key, where, adapter)
        after = None if cursor is None else cursors.read(cursor)
        return Paging(Wanted(after, limit, total), cursors, request, response)

    return paging


def _uncounted(position: Any) -> Callable[..., Paging[Any]]:
    """The same for lists that nobody counts."""
    counted = _counted(position)

    def paging(
        request: Request,
        response: Response,
        session: SessionDep,
        limit: Limit = USUAL_ITEMS,
        cursor: Cursor = None,
    ) -> Paging[Any]:
        return counted(request, response, session, limit, cursor, total=False)

    return paging


def _filters(request: Request) -> list[tuple[str, str]]:
    return sorted((name, value) for name, value in request.query_params.multi_items() if name not in _OURS)


PagingById = Annotated[Paging[UUID], Depends(_counted(UUID))]
PagingByNumber = Annotated[Paging[int], Depends(_counted(int))]
# Places in a job's log: nobody needs their number, which is that of the last one.
PagingByPlace = Annotated[Paging[int], Depends(_uncounted(int))]
PagingByNumberAndName = Annotated[Paging[tuple[int, str]], Depends(_uncounted(tuple[int, str]))]
PagingByPlaceAndVersion = Annotated[Paging[tuple[int, int]], Depends(_uncounted(tuple[int, int]))]
