"""Waiting for news: one task for each who waits, which notices at once when its client leaves."""

import asyncio
import contextlib
import time

from starlette.types import Receive


class DisconnectedError(Exception):
    """Nobody is there to be answered."""


class Waiter:
    """Somebody who waits, for at most some time and for as long as the client is there.

    Waiting is listening to the client, which says nothing until it leaves; news interrupt it. A second task
    that listens would double what each of thousands costs.

    Args:
        receive: what the client sends.
        seconds: how long to wait at most.
    """

    def __init__(self, receive: Receive, seconds: float) -> None:
        self._receive = receive
        self._deadline = time.monotonic() + seconds
        self._clock: asyncio.Timeout | None = None

    @property
    def expired(self) -> bool:
        """Whether the time is over."""
        return time.monotonic() >= self._deadline

    def wake(self) -> None:
        """Interrupt the wait: there is something to look at."""
        clock, self._clock = self._clock, None
        if clock is not None:
            with contextlib.suppress(RuntimeError):  # its time is over at this very moment
                clock.reschedule(0.0)

    async def wait(self) -> None:
        """Wait until woken, or until the time is over.

        Raises:
            DisconnectedError: the client has left.
        """
        try:
            async with asyncio.timeout(self._deadline - time.monotonic()) as self._clock:
                while (await self._receive())["type"] != "http.disconnect":
                    pass
        except TimeoutError:
            return
        finally:
            self._clock = None
        raise DisconnectedError
