"""Calls of a client that knows several processes of one service, and goes to another when one disappoints."""

import http.client
import json
import random
from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple
from urllib.parse import urlsplit

SECONDS = 2.0  # that a client waits for an answer
_TROUBLE = {408, 425, 429, 503}  # what a client is asked to try again


class Answer(NamedTuple):
    """A usable answer.

    Args:
        status: of HTTP.
        etag: of what was answered, if it has one.
        body: decoded.
    """

    status: int
    etag: str
    body: Any


class Caller:
    """Calls with one key.

    Args:
        addresses: of the processes.
        key: sent with each call.
        rng: chooses the process.
    """

    def __init__(self, addresses: Sequence[str], key: str, rng: random.Random) -> None:
        self._addresses = [urlsplit(address).netloc for address in addresses]
        self._headers = {"Authorization": f"Bearer {key}"}
        self.rng = rng
        self._connection: http.client.HTTPConnection | None = None

    def ask(
        self, method: str, path: str, body: object = None, headers: Mapping[str, str] | None = None
    ) -> Answer | None:
        """The service's answer; None if there is none of its own, or one that asks to try again."""
        try:
            response = self.open(method, path, body, headers)
            content = response.read()
            kind, status = response.headers.get("Content-Type", ""), response.status
            decoded = json.loads(content) if content else None
        except (OSError, http.client.HTTPException, ValueError):
            self.leave()
            return None
        if status in _TROUBLE or (content and "json" not in kind):
            self.leave()
            return None
        if self.rng.random() < 0.1:  # as if a load balancer sat in between
            self.leave()
        return Answer(status, response.headers.get("ETag", ""), decoded)

    def open(
        self, method: str, path: str, body: object = None, headers: Mapping[str, str] | None = None
    ) -> http.client.HTTPResponse:
        """The beginning of an answer.

        Raises:
            OSError: the connection fails.
            HTTPException: what comes is no HTTP.
        """
        if self._connection is None:
            self._connection = http.client.HTTPConnection(self.rng.choice(self._addresses), timeout=SECONDS)
        text = None if body is None else json.dumps(body)
        kind = {} if body is None else {"Content-Type": "application/json"}
        self._connection.request(method, path, text, {**self._headers, **kind, **(headers or {})})
        return self._connection.getresponse()

    def leave(self) -> None:
        """Go to any process with the next call."""
        if self._connection is not None:
            self._connection.close()
            self._connection = None
