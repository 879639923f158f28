"""Operations of the API: written once, called by both clients.

    class Studies:
        @operation("GET", "/v1/studies/{study}")
        def study(self, study: str) -> Call[StudyOut]:
            return Call({"study": study})

`ServiceClient(...).study("s")` is then a `StudyOut`, and `AsyncServiceClient(...).study("s")` an awaitable of
one. A listing gives all items when called, and `iterate` and `page` besides.
"""

from __future__ import annotations

import uuid
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from dataclasses import replace
from functools import update_wrapper
from typing import Any, Concatenate, Generic, ParamSpec, TypeVar, overload

from mixclient.service.answers import Page, page
from mixclient.service.async_connection import AsyncConnection
from mixclient.service.call import IDEMPOTENT, Call, Request, named
from mixclient.service.connection import Connection

P = ParamSpec("P")
T = TypeVar("T")

Written = Callable[Concatenate[Any, P], Call[T]]


class Operation(Generic[P, T]):
    """An operation of the API.

    Args:
        method: of HTTP.
        path: as the document of the API writes it.
        write: says what to send.
        keyed: whether it is sent with an Idempotency-Key, so that the service carries it out once.
        repeatable: whether the same twice does what it does once.
    """

    def __init__(
        self, method: str, path: str, write: Written[P, T], *, keyed: bool = False, repeatable: bool = False
    ) -> None:
        self.method, self.path, self.keyed = method, path, keyed
        self._write = write
        self._repeatable = repeatable or keyed or method in IDEMPOTENT
        self.__doc__ = write.__doc__

    def request(self, call: Call[Any]) -> Request:
        """The request of a call; with a key of its own, which stays the same over all tries."""
        if self.keyed:
            call = replace(call, headers={**call.headers, "Idempotency-Key": str(uuid.uuid4())})
        return Request.of(self.method, named(self.path, call.names), call, repeatable=self._repeatable)


class Single(Operation[P, T]):
    """An operation with one answer."""

    @overload
    def __get__(self, client: None, owner: type) -> Single[P, T]: ...
    @overload
    def __get__(self, client: Connection, owner: type) -> Callable[P, T]: ...
    @overload
    def __get__(self, client: AsyncConnection, owner: type) -> Callable[P, Awaitable[T]]: ...
    def __get__(self, client: Any, owner: type) -> Any:
        if client is None:
            return self

        def bound(*args: Any, **kwargs: Any) -> Any:
            call = self._write(client, *args, **kwargs)
            return client.carry_out(self.request(call), call.read)

        return update_wrapper(bound, self._write.__get__(client))


class Listing(Operation[P, T]):
    """An operation that gives a list, page by page."""

    @overload
    def __get__(self, client: None, owner: type) -> Listing[P, T]: ...
    @overload
    def __get__(self, client: Connection, owner: type) -> Items[P, T]: ...
    @overload
    def __get__(self, client: AsyncConnection, owner: type) -> AsyncItems[P, T]: ...
    def __get__(self, client: Any, owner: type) -> Any:
        if client is None:
            return self
        kind = AsyncItems if isinstance(client, AsyncConnection) else Items
        return update_wrapper(kind(client, self), self._write.__get__(client))

    def part(self, client: Any, cursor: str | None, args: Any, kwargs: Any) -> Request:
        """The request of a page."""
        call = self._write(client, *args, **kwargs)
        return self.request(replace(call, query={**call.query, "cursor": cursor}))


class Items(Generic[P, T]):
    """A list of the service: called, it gives all items."""

    def __init__(self, client: Connection, listing: Listing[P, T]) -> None:
        self._client, self._listing = client, listing

    def __call__(self, *args: P.args, **kwargs: P.kwargs) -> list[T]:
        """All items."""
        return list(self.iterate(*args, **kwargs))

    def iterate(self, *args: P.args, **kwargs: P.kwargs) -> Iterator[T]:
        """Item by item; a page is asked for when the one before it is used up."""
        cursor = None
        while True:
            part = self.page(cursor, *args, **kwargs)
            yield from part.items
            if part.next is None:
                return
            cursor = part.next

    def page(self, cursor: str | None, /, *args: P.args, **kwargs: P.kwargs) -> Page[T]:
        """One page: the first for None, else the one that `next` of the page before names."""
        return self._client.carry_out(self._listing.part(self._client, cursor, args, kwargs), page)


class AsyncItems(Generic[P, T]):
    """A list of the service: awaited, it gives all items."""

    def __init__(self, client: AsyncConnection, listing: Listing[P, T]) -> None:
        self._client, self._listing = client, listing

    async def __call__(self, *args: P.args, **kwargs: P.kwargs) -> list[T]:
        """All items."""
        return [item async for item in self.iterate(*args, **kwargs)]

    async def iterate(self, *args: P.args, **kwargs: P.kwargs) -> AsyncIterator[T]:
        """Item by item; a page is asked for when the one before it is used up."""
        cursor = None
        while True:
            part = await self.page(cursor, *args, **kwargs)
            for item in part.items:
                yield item
            if part.next is None:
                return
            cursor = part.next

    async def page(self, cursor: str | None, /, *args: P.args, **kwargs: P.kwargs) -> Page[T]:
        """One page: the first for None, else the one that `next` of the page before names."""
        return await self._client.carry_out(self._listing.part(self._client, cursor, args, kwargs), page)


class Stream(Operation[P, T]):
    """An operation whose answer goes on for as long as it is read."""

    @overload
    def __get__(self, client: None, owner: type) -> Stream[P, T]: ...
    @overload
    def __get__(self, client: Connection, owner: type) -> Callable[P, Iterator[T]]: ...
    @overload
    def __get__(self, client: AsyncConnection, owner: type) -> Callable[P, AsyncIterator[T]]: ...
    def __get__(self, client: Any, owner: type) -> Any:
        if client is None:
            return self

        def bound(*args: Any, **kwargs: Any) -> Any:
            return client.events(self.request(self._write(client, *args, **kwargs)))

        return update_wrapper(bound, self._write.__get__(client))


def operation(
    method: str, path: str, *, keyed: bool = False, repeatable: bool = False
) -> Callable[[Written[P, T]], Single[P, T]]:
    """Declare an operation with one answer; the arguments are those of `Operation`."""
    return lambda write: Single(method, path, write, keyed=keyed, repeatable=repeatable)


def listing(path: str) -> Callable[[Written[P, T]], Listing[P, T]]:
    """Declare a list; its function returns a call of one item's type."""
    return lambda write: Listing("GET", path, write)


def stream(path: str) -> Callable[[Written[P, T]], Stream[P, T]]:
    """Declare a stream; its function returns a call of one event's type."""
    return lambda write: Stream("GET", path, write)
