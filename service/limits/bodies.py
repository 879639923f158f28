"""Bodies of requests: how large, how slow, of what kind, and that their JSON says everything once.

Plain ASGI, behind the gate and in front of every route, so that it holds for each of them. A body is read
whole before anything is done with it, and refused before it is parsed where that is possible.
"""

import asyncio
import contextlib
from collections.abc import Mapping
from json import JSONDecodeError
from typing import Any

from starlette.datastructures import Headers
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from service.errors import ServiceError, TooLargeError, TooSlowError, UnsupportedBodyError
from service.limits.documents import decoded
from service.problem_details import refused

API = "/v1/"
DOCUMENT = "mixwright.document"  # where in the scope the decoded body is, for who need not decode it again
_WITHOUT_BODY = frozenset({"GET", "HEAD"})
_SHOWN = 50  # characters of a header
# A connection that is closed while its client still sends is reset, and the client never sees why.
_LINGER_SECONDS = 2.0
_LINGER_FACTOR = 8  # of the largest body


class Bodies:
    """The middleware.

    Args:
        app: what lies behind.
        largest: bytes of a body beyond which it is cut off with 413.
        seconds: how long a body may take to arrive; slower ones are cut off with 408.
        files: largest bytes by path, of routes that take files: they read these as they come.
    """

    def __init__(self, app: ASGIApp, *, largest: int, seconds: float, files: Mapping[str, int]) -> None:
        self._app = app
        self._files = files
        self._largest = largest
        self._seconds = seconds

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Read the body of a request and let it through, or answer with a problem."""
        # No route reads the body of a GET, and most requests are polls: not even their headers are read.
        if scope["type"] != "http" or scope["method"] in _WITHOUT_BODY:
            await self._app(scope, receive, send)
            return
        if scope["path"] in self._files:
            await self._app(scope, _counted(receive, self._files[scope["path"]]), send)
            return
        headers = Headers(scope=scope)
        if not _has_body(headers):
            await self._app(scope, receive, send)
            return
        try:
            _check_kind(scope, headers)
            body = await self._read(headers, receive)
            if body and scope["path"].startswith(API):
                # What is no JSON at all goes on: the route says where, as of every other mistake in a field.
                with contextlib.suppress(JSONDecodeError):
                    scope[DOCUMENT] = decoded(body)
        except (TooLargeError, TooSlowError) as error:
            await _cut_off(error, scope, receive, send, most=_LINGER_FACTOR * self._largest)
        except ServiceError as error:
            await refused(error)(scope, receive, send)
        else:
            if body is not None:
                await self._app(scope, _again(body, receive), send)

    async def _read(self, headers: Headers, receive: Receive) -> bytes | None:
        """The whole body; None if its sender is gone."""
        declared = headers.get("content-length", "0")
        if not declared.isdigit() or int(declared) > self._largest:
            raise _too_large(self._largest)
        parts: list[bytes] = []
        size = 0
        try:
            async with asyncio.timeout(self._seconds):
                while True:
                    message = await receive()
                    if message["type"] != "http.request":
                        return None
                    parts.append(message.get("body", b""))
                    size += len(parts[-1])
                    if size > self._largest:
                        raise _too_large(self._largest)
                    if not message.get("more_body"):
                        return b"".join(parts)
        except TimeoutError:
            raise TooSlowError(
                f"the body did not arrive within {self._seconds:g} seconds: send it again, or in parts"
            ) from None


def _counted(receive: Receive, limit: int) -> Receive:
    total = 0

    async def counted() -> Message:
        nonlocal total
        message = await receive()
        total += len(message.get("body", b""))
        if total > limit:
            raise _too_large(limit)
        return message

    return counted


def _too_large(limit: int) -> TooLargeError:
    return TooLargeError(f"the body has more than {limit} bytes: send it in parts")


def _has_body(headers: Headers) -> bool:
    return headers.get("content-length", "0") != "0" or "transfer-encoding" in headers


def _check_kind(scope: Scope, headers: Headers) -> None:
    """Refuse bodies that nobody here reads."""
    encoding = headers.get("content-encoding", "identity").strip().lower()
    if encoding != "identity":
        raise UnsupportedBodyError(
            f"a body in the encoding {encoding[:_SHOWN]!r} is not read: send it without compression",
            code="unsupported_encoding",
        )
    kind = headers.get("content-type", "").partition(";")[0].strip().lower()
    is_json = kind == "application/json" or (kind.startswith("application/") and kind.endswith("+json"))
    if scope["path"].startswith(API) and not is_json:
        raise UnsupportedBodyError(
            f"a body of the type {kind[:_SHOWN]!r} is not read: send JSON, with the header "
            "'Content-Type: application/json'"
        )


async def _cut_off(error: ServiceError, scope: Scope, receive: Receive, send: Send, *, most: int) -> None:
    """Answer, let what is on its way come in unread for a moment, and close the connection."""

    async def unfinished(message: Message) -> None:
        ends = message["type"] == "http.response.body"
        await send({**message, "more_body": True} if ends else message)

    answer = refused(error)
    answer.headers["Connection"] = "close"
    await answer(scope, receive, unfinished)
    with contextlib.suppress(TimeoutError):
        async with asyncio.timeout(_LINGER_SECONDS):
            while most > 0:
                message = await receive()
                most -= len(message.get("body", b""))
                if not message.get("more_body"):
                    break
    await send({"type": "http.response.body", "body": b""})


def _again(body: bytes, receive: Receive) -> Receive:
    """Give a body that was read once more, then what the connection says."""
    whole: list[dict[str, Any]] = [{"type": "http.request", "body": body, "more_body": False}]

    async def given() -> Message:
        return whole.pop() if whole else await receive()

    return given
