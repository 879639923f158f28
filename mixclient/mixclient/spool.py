"""A bounded queue of reports on disk: what was measured outlives an outage and a crash of the trainer.

One file of JSON lines. A report is appended before it is sent and taken off once the service has it, so
that after a crash some reports may be sent again (the service counts duplicates), but none is missing.
While the file cannot be written, as on a full disk, the spool is a queue in memory, and says so; it is
written anew once there is room. Threads may share it.

What is sent of a job is a log in order, and so an attempt that a trainer owes the service waits here too:
reports from before it go out before it is opened, and those from after it belong to it. They carry the
attempt `null` until its number is known.
"""

import contextlib
import json
import logging
import threading
import time
from collections import deque
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import Any, NamedTuple

_log = logging.getLogger("mixclient")
_COMPACT_AFTER = 512  # lines taken off before the file is written anew
_RETRY_SECONDS = 10.0  # between two tries to write a file that could not be written
ATTEMPT = "attempts"  # kind of an attempt that is owed


class _Waiting(NamedTuple):
    item: dict[str, Any]
    size: int  # bytes of its line


class Spool:
    """Reports that wait to be sent, oldest first.

    Args:
        path: the file; None keeps everything in memory.
        limit: most reports that are held. Beyond it the oldest go, and are counted in `dropped`; an attempt
            that is owed stays.
        limit_bytes: most bytes of their lines, likewise: a report with a Gram matrix may have megabytes.
    """

    def __init__(self, path: Path | None, *, limit: int = 20_000, limit_bytes: int = 256 << 20) -> None:
        self.dropped = 0
        self.bytes = 0  # of the lines that wait
        self._limit, self._limit_bytes = limit, limit_bytes
        self._path = path
        self._waiting: deque[_Waiting] = deque()
        self._attempts = 0  # of what waits
        self._taken = self._taken_bytes = 0  # of the file, but no longer waiting
        self._try_again_at: float | None = None  # while the file lacks something: when to write it anew
        self._lock = threading.Lock()
        if path is not None:
            self._open(path)

    def __len__(self) -> int:
        return len(self._waiting)

    @property
    def on_disk(self) -> bool:
        """Whether all that waits is in the file too."""
        return self._path is not None and self._try_again_at is None

    def append(self, report: dict[str, Any]) -> None:
        """Add the newest report."""
        self.extend([report])

    def extend(self, reports: list[dict[str, Any]]) -> None:
        """Add the newest reports, oldest first; one that is no JSON is dropped and counted."""
        if not reports:
            return
        lines = []
        with self._lock:
            for report in reports:
                try:
                    lines.append(_line(report))
                except (TypeError, ValueError, RecursionError) as error:
                    _log.error("a report that is no JSON is dropped: %s", error)
                    self.dropped += 1
                else:
                    self._add(report, len(lines[-1]))
            self._shorten()
            self._save(lambda: self._write(lines))

    def oldest(self, count: int) -> list[dict[str, Any]]:
        """Up to `count` reports, oldest first; they stay until they are taken off."""
        with self._lock:
            return [self._waiting[i].item for i in range(min(count, len(self._waiting)))]

    def take_off(self, count: int) -> None:
        """Forget the oldest `count` reports: the service has them, or never wants them."""
        with self._lock:
            for _ in range(min(count, len(self._waiting))):
                self._remove(0)
            if not self._waiting or self._is_long:
                self._save(self._compact)

    @property
    def owes_attempt(self) -> bool:
        """Whether an attempt waits to be opened."""
        return self._attempts > 0

    def opened(self, number: int) -> None:
        """Take off the attempt that is the oldest item, and give its number to the reports that follow it."""
        with self._lock:
            self._remove(0)
            for item, _ in self._waiting:
                if _is_attempt(item):
                    break
                number_it(item, number)
            self._save(self._compact)

    def withdraw(self, attempt: dict[str, Any]) -> None:
        """Owe this attempt no more: nothing was trained in it."""
        with self._lock:
            place = next((i for i, (item, _) in enumerate(self._waiting) if item is attempt), None)
            if place is not None:
                self._remove(place)
            self._save(self._compact)

    def _add(self, item: dict[str, Any], size: int) -> None:
        self._waiting.append(_Waiting(item, size))
        self.bytes += size
        self._attempts += _is_attempt(item)

    def _remove(self, place: int) -> None:
        item, size = self._waiting[place]
        del self._waiting[place]
        self.bytes -= size
        self._attempts -= _is_attempt(item)
        self._taken += 1
        self._taken_bytes += size

    @property
    def _is_long(self) -> bool:
        """Whether the file holds so much that was taken off that it should be written anew."""
        return self._taken >= _COMPACT_AFTER or self._taken_bytes > self._limit_bytes // 4

    def _shorten(self) -> None:
        """Drop the oldest reports until the limits hold. Attempts stay, unless there is nothing else."""
        while len(self._waiting) > self._limit or (self._waiting and self.bytes > self._limit_bytes):
            # Without the attempt before it no later report could be understood.
            self._remove(next((i for i, (item, _) in enumerate(self._waiting) if not _is_attempt(item)), 0))
            self.dropped += 1

    def _open(self, path: Path) -> None:
        """Take over what the last run left; a file that is there and cannot be read is left alone."""
        with self._lock:
            self._save(lambda: path.parent.mkdir(parents=True, exist_ok=True))
            try:
                text = path.read_text(encoding="utf-8", errors="replace")
            except FileNotFoundError:
                return
            except OSError as error:
                _log.warning("reports wait in memory only: the spool %s cannot be read (%s)", path, error)
                self._path = None
                return
            for line in text.splitlines():
                try:
                    report = json.loads(line)
                except (ValueError, RecursionError):
                    report = None
                if isinstance(report, dict):
                    self._add(report, len(line) + 1)
                else:
                    self.dropped += 1  # a line torn by a crash
            self._shorten()
            self._save(self._compact)

    def _write(self, lines: list[bytes]) -> None:
        if self._is_long:
            self._compact()
        else:
            _put(self._file(), "ab", lines)

    def _compact(self) -> None:
        path = self._file()
        beside = path.with_suffix(".new")
        try:
            _put(beside, "wb", (_line(item) for item, _ in self._waiting))
            beside.replace(path)
        except OSError:
            with contextlib.suppress(OSError):
                beside.unlink()  # a full disk has better use for it
            raise
        self._taken = self._taken_bytes = 0

    def _file(self) -> Path:
        if self._path is None:
            raise OSError("no spool file")
        return self._path

    def _save(self, write: Callable[[], None]) -> None:
        """Run a disk operation; a failing disk must not reach the trainer."""
        if self._path is None:
            return
        lacking = self._try_again_at is not None
        if self._try_again_at is not None and time.monotonic() < self._try_again_at:
            return
        try:
            # After a failure the file lacks some reports, and perhaps ends within one.
            (self._compact if lacking else write)()
        except OSError as error:
            self._try_again_at = time.monotonic() + _RETRY_SECONDS
            if not lacking:
                _log.warning(
                    "reports wait in memory only until the spool %s can be written: %s", self._path, error
                )
            return
        self._try_again_at = None
        if lacking:
            _log.info("the spool %s can be written again", self._path)


def _line(item: dict[str, Any]) -> bytes:
    return json.dumps(item, allow_nan=False).encode() + b"\n"


def _put(path: Path, mode: str, lines: Iterable[bytes]) -> None:
    """Write lines without a buffer of Python's: a process that is forked meanwhile has nothing to write."""
    data = memoryview(b"".join(lines))
    with path.open(mode, buffering=0) as file:
        while data:
            written = file.write(data)
            if not written:
                raise OSError(f"nothing more could be written to {path}")
            data = data[written:]


def number_it(item: dict[str, Any], attempt: int | None) -> None:
    """Give a report that was made before its attempt was open the number of that attempt."""
    body = item.get("body", {})
    if "attempt" in body and body["attempt"] is None:
        body["attempt"] = attempt


def _is_attempt(item: dict[str, Any]) -> bool:
    return item.get("kind") == ATTEMPT
