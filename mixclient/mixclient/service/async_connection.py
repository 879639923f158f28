"""Requests that are awaited."""

import asyncio
from collections.abc import AsyncIterator, Callable
from types import TracebackType
from typing import IO, Any, TypeVar

import httpx

from mixclient.service.answers import Tagged, checked
from mixclient.service.call import Request
from mixclient.service.events import Events
from mixclient.service.retry import Retry, Tries
from mixclient.service.wire import FILE_PART, built, headers_of, unreachable

T = TypeVar("T")


class AsyncConnection:
    """A connection to the service that is awaited.

    Args:
        url: address of the service, such as `http://127.0.0.1:8321`.
        key: API key; sent in the Authorization header, never in an address.
        timeout: seconds to wait for an answer.
        retry: which failures are tried again, and how often.
    """

    def __init__(self, url: str, key: str, *, timeout: float = 30.0, retry: Retry | None = None) -> None:
        self.url = url.rstrip("/")
        self._retry = retry or Retry()
        self._http = httpx.AsyncClient(
            base_url=self.url, headers=headers_of(key), timeout=timeout, trust_env=False
        )

    async def __aenter__(self: T) -> T:  # noqa: PYI019 - typing.Self is not in Python 3.10
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        await self.close()

    async def close(self) -> None:
        """Close the connections."""
        await self._http.aclose()

    async def carry_out(self, request: Request, read: Callable[[httpx.Response], T]) -> T:
        """Send a request and read its answer.

        Raises:
            ServiceUnreachableError: no usable answer; a file then holds a part of it.
            ServiceError: the service said no.
        """
        response = checked(await self._answer(request))
        if request.sink is not None:
            try:
                async for part in response.aiter_bytes():
                    request.sink.write(part)
            except (httpx.HTTPError, RuntimeError) as error:
                raise unreachable(self.url, request, error) from None
            finally:
                await response.aclose()
        return read(response)

    async def events(self, request: Request) -> AsyncIterator[Tagged[Any]]:
        """Send a request, and give each event of its answer as it comes."""
        response = checked(await self._answer(request, streams=True))
        events = Events()
        try:
            async for line in response.aiter_lines():
                event = events.of_line(line)
                if event is not None:
                    yield event
        except (httpx.HTTPError, RuntimeError) as error:
            raise unreachable(self.url, request, error) from None
        finally:
            await response.aclose()

    async def _answer(self, request: Request, *, streams: bool = False) -> httpx.Response:
        tries = Tries(self._retry, request)
        while True:
            outcome: httpx.Response | httpx.TransportError
            try:
                outcome = await self._once(request, streams=streams or request.sink is not None)
            except httpx.TransportError as error:
                outcome = error
            except (httpx.HTTPError, RuntimeError) as error:
                raise unreachable(self.url, request, error) from None
            pause = tries.pause_after(outcome)
            if pause is not None:
                await asyncio.sleep(pause)
            elif isinstance(outcome, httpx.Response):
                return outcome
            else:
                raise unreachable(self.url, request, outcome) from None

    async def _once(self, request: Request, *, streams: bool) -> httpx.Response:
        content = request.content if request.source is None else _parts(request.source)
        response = await self._http.send(built(self._http, request, content), stream=streams)
        if streams and not response.is_success:
            await response.aread()
        return response


async def _parts(file: IO[bytes]) -> AsyncIterator[bytes]:
    while part := file.read(FILE_PART):
        yield part
