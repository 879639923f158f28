"""How often somebody may ask: token buckets, in memory, one set for each process.

A bucket of B tokens fills by r tokens a second, and each request takes one. Kept is the moment at which it
is full again, one number for each caller (the generic cell rate algorithm, ITU-T I.371):

    from = max(full_at, now)        admitted if from - now <= (B - 1) / r, and then full_at <- from + 1 / r
"""

import time
from collections.abc import Callable, Hashable

from starlette.types import Scope

from service.errors import TooManyRequestsError
from service.scopes import Principal

# Seconds of the rate that a full bucket holds: all pollers of a fleet come back in the same second.
BURST_SECONDS = 4.0
_MOST_BUCKETS = 10_000


class Buckets:
    """Token buckets by name.

    Args:
        rate: tokens a second; 0 for no limit.
        burst: tokens of a full bucket.
        clock: seconds, never going back.
    """

    def __init__(self, rate: float, burst: float, *, clock: Callable[[], float] = time.monotonic) -> None:
        self._step = 1 / rate if rate > 0 else 0.0
        self._depth = max(burst - 1, 0) * self._step
        self._clock = clock
        self._full_at: dict[Hashable, float] = {}

    def take(self, name: Hashable) -> float:
        """Take a token; seconds until there is one if there is none now, else 0."""
        if not self._step:
            return 0.0
        now = self._clock()
        full_at = max(self._full_at.get(name, now), now)
        missing = full_at - now - self._depth
        if missing > 0:
            return missing
        if len(self._full_at) >= _MOST_BUCKETS:
            self._forget(now)
        self._full_at[name] = full_at + self._step
        return 0.0

    def _forget(self, now: float) -> None:
        """Drop full buckets, which are as good as new ones; where all are in use, all."""
        self._full_at = {name: at for name, at in self._full_at.items() if at > now}
        if len(self._full_at) >= _MOST_BUCKETS:
            self._full_at = {}


class Rates:
    """Requests of one key, or of one browser session.

    Args:
        per_second: requests a second; 0 for no limit.
    """

    def __init__(self, per_second: float) -> None:
        self._per_second = per_second
        self._buckets = Buckets(per_second, BURST_SECONDS * per_second)

    def check(self, caller: Principal) -> None:
        """Count a request.

        Raises:
            TooManyRequestsError: there were too many.
        """
        wait = self._buckets.take(caller.id)
        if wait > 0:
            detail = (
                f"this key makes more than {self._per_second:g} requests a second: slow down, or let more "
                "through by MIXWRIGHT_REQUESTS_PER_SECOND"
            )
            raise TooManyRequestsError(detail, retry_seconds=wait)


class Failures:
    """Failed authentications by the address of their client.

    Whoever shows a good key is let in, whatever others at that address tried: a thousand trainers may come
    from behind one.

    Args:
        per_minute: failures a minute, and so many at once; 0 for no limit.
    """

    def __init__(self, per_minute: float) -> None:
        self._buckets = Buckets(per_minute / 60, per_minute)

    def count(self, scope: Scope) -> None:
        """Count a failure.

        Raises:
            TooManyRequestsError: there were too many.
        """
        client = scope.get("client")
        wait = self._buckets.take(client[0] if client else "")
        if wait > 0:
            raise TooManyRequestsError(
                "too many requests without a good key came from this address: correct the key there",
                retry_seconds=wait,
            )
