"""Requests carried out at once."""

import time
from collections.abc import Callable, Iterator
from functools import partial
from types import TracebackType
from typing import Any, TypeVar

import httpx

from mixclient.service.answers import Tagged, checked, decoded
from mixclient.service.call import IDEMPOTENT, Call, Request
from mixclient.service.events import Events
from mixclient.service.retry import Retry, Tries
from mixclient.service.wire import FILE_PART, built, headers_of, unreachable

T = TypeVar("T")


class Connection:
    """A connection to the service that blocks.

    Args:
        url: address of the service, such as `http://127.0.0.1:8321`.
        key: API key; sent in the Authorization header, never in an address.
        timeout: seconds to wait for an answer.
        retry: which failures are tried again, and how often.
    """

    def __init__(self, url: str, key: str, *, timeout: float = 30.0, retry: Retry | None = None) -> None:
        self.url = url.rstrip("/")
        self._retry = retry or Retry()
        # A proxy of the environment has no business between a trainer and its service.
        self._http = httpx.Client(
            base_url=self.url, headers=headers_of(key), timeout=timeout, trust_env=False
        )

    def __enter__(self: T) -> T:  # noqa: PYI019 - typing.Self is not in Python 3.10
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def close(self) -> None:
        """Close the connections."""
        self._http.close()

    def call(
        self,
        method: str,
        path: str,
        *,
        body: Any = None,
        parameters: dict[str, Any] | None = None,
        timeout: float | None = None,
    ) -> Any:
        """Make a call that has no method here, and return the decoded answer; None for an empty one.

        Raises:
            ServiceUnreachableError: no usable answer.
            ServiceError: the service said no.
        """
        call: Call[Any] = Call(body=body, query=parameters or {}, timeout=timeout)
        request = Request.of(method, path, call, repeatable=method in IDEMPOTENT)
        return self.carry_out(request, lambda response: decoded(response) if response.content else None)

    def carry_out(self, request: Request, read: Callable[[httpx.Response], T]) -> T:
        """Send a request and read its answer.

        Raises:
            ServiceUnreachableError: no usable answer; a file then holds a part of it.
            ServiceError: the service said no.
        """
        response = checked(self._answer(request))
        if request.sink is not None:
            try:
                for part in response.iter_bytes():
                    request.sink.write(part)
            except (httpx.HTTPError, RuntimeError) as error:
                raise unreachable(self.url, request, error) from None
            finally:
                response.close()
        return read(response)

    def events(self, request: Request) -> Iterator[Tagged[Any]]:
        """Send a request, and give each event of its answer as it comes."""
        response = checked(self._answer(request, streams=True))
        events = Events()
        try:
            for line in response.iter_lines():
                event = events.of_line(line)
                if event is not None:
                    yield event
        except (httpx.HTTPError, RuntimeError) as error:
            raise unreachable(self.url, request, error) from None
        finally:
            response.close()

    def _answer(self, request: Request, *, streams: bool = False) -> httpx.Response:
        tries = Tries(self._retry, request)
        while True:
            outcome: httpx.Response | httpx.TransportError
            try:
                outcome = self._once(request, streams=streams or request.sink is not None)
            except httpx.TransportError as error:
                outcome = error
            except (httpx.HTTPError, RuntimeError) as error:  # RuntimeError: closed by another thread
                raise unreachable(self.url, request, error) from None
            pause = tries.pause_after(outcome)
            if pause is not None:
                time.sleep(pause)
            elif isinstance(outcome, httpx.Response):
                return outcome
            else:
                raise unreachable(self.url, request, outcome) from None

    def _once(self, request: Request, *, streams: bool) -> httpx.Response:
        source = request.source
        content = request.content if source is None else iter(partial(source.read, FILE_PART), b"")
        response = self._http.send(built(self._http, request, content), stream=streams)
        if streams and not response.is_success:
            response.read()
        return response
