"""The server's log: one file for each day of the week, begun afresh a week later.

PostgreSQL begins a day's file afresh only if it runs at midnight, so old and large files are removed
before a start.
"""

import os
import time
from collections.abc import Mapping
from pathlib import Path

from service.embedded_postgres.home import Home

SETTINGS = {
    "logging_collector": "on",
    "log_destination": "stderr",
    "log_filename": "server-%a.log",
    "log_file_mode": "0600",
    "log_rotation_age": "1d",
    "log_rotation_size": "0",
    "log_truncate_on_rotation": "on",
}
KEPT_SECONDS = 6 * 24 * 3600  # shorter than the week after which the name of a file comes again
KEPT_BYTES = 16 * 2**20
_TAIL_BYTES = 8192  # a few dozen lines


def remove_old_logs(home: Home) -> None:
    """Remove log files that would be continued after a week, or have grown too large."""
    for path in _files(home):
        status = path.lstat()
        if status.st_size > KEPT_BYTES or status.st_mtime < time.time() - KEPT_SECONDS:
            path.unlink(missing_ok=True)


def log_sizes(home: Home) -> Mapping[Path, int]:
    """Sizes of the log files, to tell later what has been added to them."""
    return {path: path.lstat().st_size for path in _files(home)}


def last_lines(home: Home, *, since: Mapping[Path, int], count: int) -> str:
    """The last lines that the server wrote, before it opened its log and in it.

    Args:
        home: whose server.
        since: sizes of the log files at the moment from which lines count.
        count: how many lines at most.
    """
    paths = sorted(_files(home), key=lambda path: path.lstat().st_mtime)
    texts = [_tail(home.start_log, 0)] + [_tail(path, since.get(path, 0)) for path in paths]
    lines = [line for text in texts for line in text.splitlines() if "log output" not in line]
    return "\n".join(lines[-count:])


def _files(home: Home) -> list[Path]:
    return list(home.log.glob("server-*.log"))


def _tail(path: Path, start: int) -> str:
    try:
        descriptor = os.open(path, os.O_RDONLY | os.O_NOFOLLOW)
    except OSError:
        return ""
    with os.fdopen(descriptor, "rb") as file:
        file.seek(max(start, os.fstat(descriptor).st_size - _TAIL_BYTES))
        return file.read(_TAIL_BYTES).decode(errors="replace")
