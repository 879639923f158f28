"""Callers whose requests are under way while the test goes on."""

import http.client
import json
from urllib.parse import urlsplit

DEADLINE_SECONDS = 60  # far above what any answer takes on a loaded machine


class Caller:
    """Calls a service; what is sent has been sent when `ask` returns, whether it is answered or not."""

    def __init__(self, address: str, key: str) -> None:
        self._connection = http.client.HTTPConnection(urlsplit(address).netloc, timeout=DEADLINE_SECONDS)
        self._key = key

    def ask(self, method: str, path: str, body: object = None, **headers: str) -> None:
        headers |= {"Authorization": f"Bearer {self._key}", "Content-Type": "application/json"}
        self._connection.request(method, path, None if body is None else json.dumps(body), headers)

    def answer(self) -> http.client.HTTPResponse:
        return self._connection.getresponse()

    def close(self) -> None:
        self._connection.close()
