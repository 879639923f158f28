"""Messages for a person who waits: none for a short wait, then one every few seconds."""

import time
from collections.abc import Callable

Report = Callable[[str], None]

FIRST_SECONDS = 2.0  # a start without recovery is over by then
EVERY_SECONDS = 5.0
POLL_SECONDS = 0.01  # short against a start (0.3 s), and 1 % of a core in a long recovery


class Progress:
    """One wait, told about at intervals."""

    def __init__(self, report: Report) -> None:
        self._report = report
        self._began = time.monotonic()
        self._next = FIRST_SECONDS

    @property
    def seconds(self) -> float:
        """How long the wait has lasted."""
        return time.monotonic() - self._began

    def wait(self, reason: Callable[[], str]) -> None:
        """Sleep for one polling interval, and tell the reason for waiting when a message is due."""
        elapsed = self.seconds
        if elapsed >= self._next:
            self._next = elapsed + EVERY_SECONDS
            self._report(f"{reason()} ({elapsed:.0f} s)")
        time.sleep(POLL_SECONDS)
