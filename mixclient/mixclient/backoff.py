"""How long to wait between tries: longer each time, differently for everybody, never before one is asked.

    pause ~ U(least, min(longest, first 2^n))        after n failures before this one
    pause ~ asked + U(0, max(asked, first 2^n))      where an answer says when to come back

The whole of the interval is drawn from, and not its upper half: a service that comes back after a restart
then hears of thousands of trainers one after the other.
"""

import math
import random
import time
from collections.abc import Callable
from email.utils import parsedate_to_datetime

from mixclient.errors import MixclientError

LONGEST_ASKED = 300.0  # seconds; a date that is years away must not silence a trainer for good
_LEAST = 0.05  # seconds between two tries
_DOUBLINGS = 30  # beyond it the longest pause is reached, and floats come to their end


class Backoff:
    """Pauses of one thread.

    Args:
        first: seconds that the first pause may take.
        longest: seconds that any pause may take which nobody asked for.
        draw: a number from an interval. By default from a generator of its own: the global one belongs to
            the trainer, which seeds it, and may have given thousands of jobs the same seed.
    """

    def __init__(
        self,
        *,
        first: float = 0.5,
        longest: float = 30.0,
        draw: Callable[[float, float], float] | None = None,
    ) -> None:
        self.longest = longest
        self._first = first
        self._draw = draw or random.Random().uniform  # noqa: S311 - jitter is no secret
        self._failures = 0

    def succeeded(self) -> None:
        """Begin again with short pauses."""
        self._failures = 0

    def failed(self, error: BaseException | None = None) -> float:
        """Seconds to wait after one more failure."""
        ceiling = min(self.longest, self._first * 2.0 ** min(self._failures, _DOUBLINGS))
        self._failures += 1
        asked = error.retry_after if isinstance(error, MixclientError) else None
        if asked is not None:
            return asked + self._draw(0.0, max(asked, ceiling))
        return self._draw(min(_LEAST, ceiling), ceiling)


def asked_seconds(retry_after: str | None, date: str | None = None) -> float | None:
    """Seconds of a Retry-After header, which gives them, or a date; None if there are none to be read.

    Args:
        retry_after: the header's text.
        date: that of the Date header: the clock that the other date was told by, which may not be ours.
    """
    if retry_after is None:
        return None
    try:
        seconds = float(retry_after) if retry_after.strip().isdigit() else _until(retry_after, date)
    except (TypeError, ValueError, OverflowError):
        return None
    return min(max(seconds, 0.0), LONGEST_ASKED) if math.isfinite(seconds) else None


def _until(moment: str, date: str | None) -> float:
    then = parsedate_to_datetime(moment).timestamp()
    return then - (time.time() if date is None else parsedate_to_datetime(date).timestamp())
