"""Waiting for news: one task for each who waits, which notices at once when its client leaves."""

import asyncio
import time
from typing import Any

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
        self._task: asyncio.Task[Any] | None = None  # that waits and was not woken yet

    def is_over(self) -> bool:
        """Whether the time is over."""
        return time.monotonic() >= self._deadline

    def end(self) -> None:
        """Let the time be over at once."""
        self._deadline = 0.0
        self.wake()

    def wake(self) -> None:
        """Interrupt the wait: there is something to look at."""
        task, self._task = self._task, None
        if task is not None:
            task.cancel()

    async def wait(self) -> None:
        """Wait until woken, or until the time is over.

        Raises:
            DisconnectedError: the client has left.
        """
        # asyncio.timeout does the same at several times the cost, which everybody who waits pays at once.
        task = asyncio.current_task()
        if task is None:
            raise RuntimeError("who waits is a task")
        self._task = task
        timer = asyncio.get_running_loop().call_later(self._deadline - time.monotonic(), self.wake)
        try:
            while (await self._receive())["type"] != "http.disconnect":
                pass
        except asyncio.CancelledError:
            if self._is_asleep() or task.uncancel() > 0:
                raise  # not by us, or not by us alone
            return
        finally:
            timer.cancel()
            self._task = None
        raise DisconnectedError

    def _is_asleep(self) -> bool:
        return self._task is not None
