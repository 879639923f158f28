"""Request ids: one for every request, the caller's own if it brings one, told in every answer and problem.

The gate begins one for each request; whatever runs for that request reads it with `current`.
"""

import random
import re
from collections.abc import Iterable
from contextvars import ContextVar

HEADER = "X-Request-Id"
RAW_HEADER = HEADER.lower().encode()
# Short and plain, since it is written into logs and headers as it came.
_USABLE = re.compile(rb"[A-Za-z0-9._-]{1,128}")
# Names and no secrets: the system's own source of random bits would cost each request a call of it. A source
# of our own, since whoever seeds the common one would have ids repeat.
_numbers = random.Random()  # noqa: S311
_current: ContextVar[str | None] = ContextVar("request_id", default=None)


def begin(headers: Iterable[tuple[bytes, bytes]]) -> str:
    """The id of a request that comes in, from its raw headers; one that cannot be used is replaced.

    It is not taken back at the end: every request runs in a context of its own, and its last words, such as
    the answer to a failure, are spoken outside of the gate.
    """
    sent = next((value for name, value in headers if name == RAW_HEADER), b"")
    chosen = sent.decode("ascii") if _USABLE.fullmatch(sent) else _fresh()
    _current.set(chosen)
    return chosen


def current() -> str:
    """The id of the request at hand; a fresh one where there is none."""
    return _current.get() or _fresh()


def _fresh() -> str:
    return f"{_numbers.getrandbits(128):032x}"
