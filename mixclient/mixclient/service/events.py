"""Server-sent events, line by line (WHATWG HTML, 9.2.6)."""

import json
from typing import Any

from mixclient.errors import ServiceUnreachableError
from mixclient.service.answers import Tagged


class Events:
    """Gathers lines to events; comments and what this client does not know are passed over."""

    def __init__(self) -> None:
        self._id = ""
        self._data: list[str] = []

    def of_line(self, line: str) -> Tagged[Any] | None:
        """The event that this line ends; None if it ends none.

        Raises:
            ServiceUnreachableError: the event holds no JSON.
        """
        name, _, value = line.partition(":")
        value = value.removeprefix(" ")
        if name == "id":
            self._id = value
        elif name == "data":
            self._data.append(value)
        if line or not self._data:
            return None
        text, self._data = "\n".join(self._data), []
        try:
            return Tagged(json.loads(text), self._id)
        except ValueError:
            raise ServiceUnreachableError(f"an event is not JSON but {text[:80]!r}") from None
