"""What works beside the requests, such as the committer: kept alive, and known to be alive."""

import asyncio
import logging
from collections.abc import Awaitable, Callable, Mapping

_log = logging.getLogger("service")
_RESTART_SECONDS = 1.0


class Beside:
    """Work that is started again whenever it ends, such as when the database was away for a while.

    Args:
        parts: what to run, by name.
    """

    def __init__(self, parts: Mapping[str, Callable[[], Awaitable[None]]]) -> None:
        self._parts = dict(parts)
        self.failed: set[str] = set()
        self._tasks: list[asyncio.Task[None]] = []

    @property
    def names(self) -> list[str]:
        """Of all parts."""
        return list(self._parts)

    def start(self) -> None:
        """Start all."""
        self._tasks = [
            asyncio.create_task(self._kept_alive(name, part)) for name, part in self._parts.items()
        ]

    async def stop(self) -> None:
        """End all."""
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)
        # With them goes what they held, such as a connection that was half made: a server waits for it.
        self._tasks = []

    async def _kept_alive(self, name: str, work: Callable[[], Awaitable[None]]) -> None:
        while True:
            try:
                await work()
            except Exception:  # noqa: BLE001 - whatever it was, the rest of the process needs this part
                _log.exception("%s ended and is started again", name)
            self.failed.add(name)
            await asyncio.sleep(_RESTART_SECONDS)
            self.failed.discard(name)
