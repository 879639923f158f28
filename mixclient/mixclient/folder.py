"""Where a client keeps what must outlive it: reports that wait, and the last schedule."""

import hashlib
import json
import logging
import re
from pathlib import Path

from mixclient.schedule import Schedule

_log = logging.getLogger("mixclient")
_PUBLIC_PART = re.compile(r"mx_([0-9a-f]+)_")


class Folder:
    """A folder of one source of one job.

    Args:
        path: the folder; it is made when something is kept.
    """

    def __init__(self, path: Path) -> None:
        self._schedule = path / "schedule.json"
        self.reports = path / "reports.jsonl"

    @classmethod
    def default(cls, url: str, key: str, job: str, source: str) -> "Folder":
        """A folder of the user's cache, of this key alone.

        Two projects may have jobs of one name at one service, and a report must never reach the other
        project. A key's public part stands for its project, and so a new key begins a new folder; what
        waits in the folder of an earlier key is told.
        """
        # A job name may hold any character; its digest is a safe file name.
        name = hashlib.sha256(f"{url}\n{job}\n{source}".encode()).hexdigest()[:16]
        keys = Path.home() / ".cache" / "mixclient" / name
        match = _PUBLIC_PART.match(key)
        own = keys / (match[1] if match else "unknown-key")
        for reports in keys.glob("*/reports.jsonl"):
            if reports.parent != own and reports.stat().st_size:
                _log.warning(
                    "reports of job %r wait in %s, written under another key: give folder=%r to send them if "
                    "it was of the same project, or delete it",
                    job,
                    reports.parent,
                    str(reports.parent),
                )
        return cls(own)

    def keep(self, schedule: Schedule) -> None:
        """Keep the schedule that a restart may have to begin with."""
        try:
            self._schedule.parent.mkdir(parents=True, exist_ok=True)
            beside = self._schedule.with_suffix(".new")
            beside.write_text(schedule.dump(), encoding="utf-8")
            beside.replace(self._schedule)
        except OSError as error:
            _log.info("the schedule could not be stored at %s: %s", self._schedule, error)

    def kept(self, job: str) -> Schedule | None:
        """The schedule that was kept last, if it is of this job."""
        try:
            schedule = Schedule.parse(json.loads(self._schedule.read_text(encoding="utf-8")))
        except (OSError, ValueError):
            return None
        return schedule if schedule.job == job else None
