"""A bounded queue of reports on disk: what was measured outlives an outage and a crash of the trainer.

One file of JSON lines. A report is appended before it is sent and taken off once the service has it, so
that after a crash some reports may be sent again (the service counts duplicates), but none is missing.
A folder that cannot be written turns the spool into a queue in memory, and says so. Threads may share it.

What is sent of a job is a log in order, and so an attempt that a trainer owes the service waits here too:
reports from before it go out before it is opened, and those from after it belong to it. They carry the
attempt `null` until its number is known.
"""

import json
import logging
import threading
from collections import deque
from pathlib import Path
from typing import Any

_log = logging.getLogger("mixclient")
_COMPACT_AFTER = 512  # lines taken off before the file is written anew
ATTEMPT = "attempts"  # kind of an attempt that is owed


class Spool:
    """Reports that wait to be sent, oldest first.

    Args:
        path: the file; None keeps everything in memory.
        limit: most reports that are held. Beyond it the oldest go, and are counted in `dropped`; an attempt
            that is owed stays.
    """

    def __init__(self, path: Path | None, *, limit: int = 20_000) -> None:
        self.dropped = 0
        self._limit = limit
        self._path = path
        self._waiting: deque[dict[str, Any]] = deque()
        self._taken = 0
        self._lock = threading.Lock()
        if path is not None:
            self._guard(self._read)

    def __len__(self) -> int:
        return len(self._waiting)

    def append(self, report: dict[str, Any]) -> None:
        """Add the newest report."""
        self.extend([report])

    def extend(self, reports: list[dict[str, Any]]) -> None:
        """Add the newest reports, oldest first."""
        if not reports:
            return
        with self._lock:
            self._waiting.extend(reports)
            beyond = max(0, len(self._waiting) - self._limit)
            for _ in range(beyond):
                self._drop_oldest()
            self._taken += beyond
            self.dropped += beyond
            self._guard(lambda: self._write(reports))

    def oldest(self, count: int) -> list[dict[str, Any]]:
        """Up to `count` reports, oldest first; they stay until they are taken off."""
        with self._lock:
            return [self._waiting[i] for i in range(min(count, len(self._waiting)))]

    def take_off(self, count: int) -> None:
        """Forget the oldest `count` reports: the service has them, or never wants them."""
        with self._lock:
            for _ in range(min(count, len(self._waiting))):
                self._waiting.popleft()
            self._taken += count
            if not self._waiting or self._taken >= _COMPACT_AFTER:
                self._guard(self._compact)

    @property
    def owes_attempt(self) -> bool:
        """Whether an attempt waits to be opened."""
        with self._lock:
            return any(map(_is_attempt, self._waiting))

    def opened(self, number: int) -> None:
        """Take off the attempt that is the oldest item, and give its number to the reports that follow it."""
        with self._lock:
            self._waiting.popleft()
            for item in self._waiting:
                if _is_attempt(item):
                    break
                number_it(item, number)
            self._guard(self._compact)

    def withdraw(self, attempt: dict[str, Any]) -> None:
        """Owe this attempt no more: nothing was trained in it."""
        with self._lock:
            self._waiting = deque(item for item in self._waiting if item is not attempt)
            self._guard(self._compact)

    def _drop_oldest(self) -> None:
        """Drop the oldest report; without the attempt before it no later report could be understood."""
        place = next((i for i, item in enumerate(self._waiting) if not _is_attempt(item)), 0)
        del self._waiting[place]

    def _read(self) -> None:
        path = self._file()
        path.parent.mkdir(parents=True, exist_ok=True)
        if not path.exists():
            return
        for line in path.read_text(encoding="utf-8", errors="replace").splitlines():
            try:
                report = json.loads(line)
            except ValueError:
                report = None
            if isinstance(report, dict):
                self._waiting.append(report)
            else:
                self.dropped += 1  # a line torn by a crash
        while len(self._waiting) > self._limit:
            self._drop_oldest()
            self.dropped += 1
        self._compact()

    def _write(self, reports: list[dict[str, Any]]) -> None:
        if self._taken >= _COMPACT_AFTER:
            self._compact()
            return
        with self._file().open("a", encoding="utf-8") as file:
            file.writelines(json.dumps(report, allow_nan=False) + "\n" for report in reports)

    def _compact(self) -> None:
        path = self._file()
        beside = path.with_suffix(".new")
        with beside.open("w", encoding="utf-8") as file:
            file.writelines(json.dumps(report, allow_nan=False) + "\n" for report in self._waiting)
        beside.replace(path)
        self._taken = 0

    def _file(self) -> Path:
        if self._path is None:
            raise OSError("no spool file")
        return self._path

    def _guard(self, write: Any) -> None:
        """Run a disk operation; a failing disk must not reach the trainer."""
        if self._path is None:
            return
        try:
            write()
        except OSError as error:
            _log.warning(
                "reports are kept in memory only: the spool %s cannot be used (%s)", self._path, error
            )
            self._path = None


def number_it(item: dict[str, Any], attempt: int | None) -> None:
    """Give a report that was made before its attempt was open the number of that attempt."""
    body = item.get("body", {})
    if "attempt" in body and body["attempt"] is None:
        body["attempt"] = attempt


def _is_attempt(item: dict[str, Any]) -> bool:
    return item.get("kind") == ATTEMPT
