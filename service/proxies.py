"""Behind a proxy: whom a request comes from, how, and under which prefix, as a trusted proxy says it.

Only requests that come from a configured proxy are read for `X-Forwarded-For`, `-Proto` and `-Host`; from
anybody else these headers are text without meaning. The prefix is taken off paths on the way in, whether the
proxy did so or not, and put before addresses of our own on the way out.
"""

import ipaddress
import re
from contextvars import ContextVar

from starlette.datastructures import Headers
from starlette.types import ASGIApp, Message, Receive, Scope, Send

Network = ipaddress.IPv4Network | ipaddress.IPv6Network
# What stands before every address of ours in the request that is being answered: empty, or such as "/mix".
prefix: ContextVar[str] = ContextVar("prefix", default="")

_HOST = re.compile(r"[A-Za-z0-9._:\[\]-]{1,255}")


class Proxied:
    """The middleware; outermost, so that all others see the request as it was made.

    Args:
        app: what lies behind.
        trusted: networks of the proxies.
        root_path: the prefix, such as "/mix"; empty for none.
    """

    def __init__(self, app: ASGIApp, *, trusted: list[Network], root_path: str) -> None:
        self._app = app
        self._trusted = trusted
        self._root = root_path

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Read what the proxy says, and take off the prefix."""
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        scope = dict(scope)
        if self._is_trusted((scope.get("client") or ("", 0))[0]):
            self._believe(scope)
        if not self._root:
            await self._app(scope, receive, send)
            return
        path: str = scope["path"]
        if path == self._root or path.startswith(f"{self._root}/"):
            scope["path"] = path.removeprefix(self._root) or "/"
            raw: bytes = scope.get("raw_path") or path.encode()
            scope["raw_path"] = raw.removeprefix(self._root.encode()) or b"/"
        token = prefix.set(self._root)
        try:
            await self._app(scope, receive, self._prefixed(send))
        finally:
            prefix.reset(token)

    def _believe(self, scope: Scope) -> None:
        headers = Headers(scope=scope)
        # The nearest proxy appends to what it was given: from the right, the first that is no proxy called.
        hops = [hop.strip() for hop in ",".join(headers.getlist("x-forwarded-for")).split(",")]
        callers = [hop for hop in reversed(hops) if not self._is_trusted(hop)]
        if callers and _address(callers[0]) is not None:
            scope["client"] = (callers[0], 0)
        scheme = _last(headers, "x-forwarded-proto").lower()
        if scheme in {"http", "https"}:
            scope["scheme"] = scheme
        host = _last(headers, "x-forwarded-host")
        if _HOST.fullmatch(host):
            kept = [(name, value) for name, value in scope["headers"] if name != b"host"]
            scope["headers"] = [*kept, (b"host", host.encode())]

    def _is_trusted(self, host: str) -> bool:
        address = _address(host)
        return address is not None and any(address in network for network in self._trusted)

    def _prefixed(self, send: Send) -> Send:
        async def with_prefix(message: Message) -> None:
            if message["type"] == "http.response.start":
                headers = [(name, self._moved(name, value)) for name, value in message.get("headers", [])]
                message = {**message, "headers": headers}
            await send(message)

        return with_prefix

    def _moved(self, name: bytes, value: bytes) -> bytes:
        ours = name.lower() == b"location" and value.startswith(b"/") and not value.startswith(b"//")
        return self._root.encode() + value if ours else value


def _last(headers: Headers, name: str) -> str:
    return ",".join(headers.getlist(name)).rsplit(",", 1)[-1].strip()


def _address(text: str) -> ipaddress.IPv4Address | ipaddress.IPv6Address | None:
    try:
        return ipaddress.ip_address(text)
    except ValueError:
        return None
