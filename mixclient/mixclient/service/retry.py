"""When a request is sent again, and after what pause; nothing here waits."""

import random
from dataclasses import dataclass

import httpx

from mixclient.backoff import asked_seconds
from mixclient.service.call import Request

# Too many requests, and servers in between or behind that may do better in a moment.
PASSING = frozenset({429, 502, 503, 504})


@dataclass(frozen=True)
class Retry:
    """How stubborn a client is.

    Only requests that do the same twice as once are sent again. Pauses double, and are drawn between half
    and the whole of that; a `Retry-After` of the service counts instead, if it is longer.

    Args:
        tries: how often a request is sent at most; 1 for never again.
        first_pause: seconds before the second try.
        longest_pause: seconds; whoever asks for more patience than that gets none.
    """

    tries: int = 4
    first_pause: float = 0.25
    longest_pause: float = 30.0


ONCE = Retry(tries=1)


class Tries:
    """The tries of one request.

    Args:
        retry: how many.
        request: what is sent.
    """

    def __init__(self, retry: Retry, request: Request) -> None:
        self._left = retry.tries - 1 if request.repeatable else 0
        # Of its own: the global one may be seeded by whoever uses this client.
        self._random = random.Random()  # noqa: S311 - it spreads clients, and hides nothing
        self._pause, self._longest = retry.first_pause, retry.longest_pause

    def pause_after(self, outcome: httpx.Response | httpx.TransportError) -> float | None:
        """Seconds to wait before the next try; None if this outcome is the last."""
        asked_for = 0.0
        if isinstance(outcome, httpx.Response):
            if outcome.status_code not in PASSING:
                return None
            asked_for = asked_seconds(outcome.headers.get("Retry-After"), outcome.headers.get("Date")) or 0.0
        if self._left <= 0 or asked_for > self._longest:
            return None
        self._left -= 1
        own = self._pause * self._random.uniform(0.5, 1.0)
        self._pause = min(2 * self._pause, self._longest)
        return max(own, asked_for)
