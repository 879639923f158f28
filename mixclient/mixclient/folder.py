"""Where a client keeps what must outlive it: reports that wait, and the last schedule."""

import contextlib
import errno
import hashlib
import json
import logging
import os
import re
import sys
from pathlib import Path
from weakref import finalize

from mixclient.schedule import Schedule

if sys.platform != "win32":
    import fcntl

_log = logging.getLogger("mixclient")
_PUBLIC_PART = re.compile(r"mx_([0-9a-f]+)_")
_TAKEN = frozenset({errno.EACCES, errno.EAGAIN})


class Folder:
    """A folder of one source of one job, which one process uses at a time.

    Another one reads the schedule that is stored there, and writes nothing: its reports wait in memory. The
    lock is one of the process, which a forked one does not have and the end of the process releases.

    Args:
        path: the folder; None keeps nothing.
    """

    def __init__(self, path: Path | None) -> None:
        self._schedule = None if path is None else path / "schedule.json"
        self.reports = None if path is None else path / "reports.jsonl"
        self._release: finalize[[int], Folder] | None = None
        self._owned = path is not None and self._claimed(path)
        if path is not None and not self._owned:
            self.reports = None
            _log.warning(
                "another process keeps its reports in %s: those of this one wait in memory only. End the "
                "other one, or give each a folder= of its own",
                path,
            )

    def release(self) -> None:
        """Let another process have the folder."""
        if self._release is not None:
            self._release()

    def _claimed(self, path: Path) -> bool:
        """Whether this process may write here; true as well where no lock can be had."""
        if sys.platform == "win32":
            return True
        with contextlib.suppress(OSError):  # of a folder that cannot be written the spool tells
            path.mkdir(parents=True, exist_ok=True)
            handle = os.open(path / "lock", os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
            self._release = finalize(self, os.close, handle)
            try:
                fcntl.lockf(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except OSError as error:
                return error.errno not in _TAKEN
        return True

    @classmethod
    def default(cls, url: str, key: str, job: str, source: str) -> "Folder":
        """A folder of the user's cache, of this key alone.

        Two projects may have jobs of one name at one service, and a report must never reach the other
        project. A key's public part stands for its project, and so a new key begins a new folder; what
        waits in the folder of an earlier key is told.
        """
        # A job name may hold any character; its digest is a safe file name.
        name = hashlib.sha256(f"{url}\n{job}\n{source}".encode()).hexdigest()[:16]
        try:
            keys = Path.home() / ".cache" / "mixclient" / name
        except RuntimeError as error:  # a container whose user has no entry anywhere
            _log.warning("reports wait in memory only, since there is no home (%s): give folder=", error)
            return cls(None)
        match = _PUBLIC_PART.match(key)
        own = keys / (match[1] if match else "unknown-key")
        with contextlib.suppress(OSError):
            for reports in keys.glob("*/reports.jsonl"):
                if reports.parent != own and reports.stat().st_size:
                    _log.warning(
                        "reports of job %r wait in %s, written under another key: give folder=%r to send "
                        "them if it was of the same project, or delete it",
                        job,
                        reports.parent,
                        str(reports.parent),
                    )
        return cls(own)

    def keep(self, schedule: Schedule) -> None:
        """Keep the schedule that a restart may have to begin with."""
        if self._schedule is None or not self._owned:
            return
        try:
            self._schedule.parent.mkdir(parents=True, exist_ok=True)
            beside = self._schedule.with_suffix(".new")
            beside.write_text(schedule.dump(), encoding="utf-8")
            beside.replace(self._schedule)
        except OSError as error:
            _log.info("the schedule could not be stored at %s: %s", self._schedule, error)

    def kept(self, job: str) -> Schedule | None:
        """The schedule that was kept last, if it is of this job."""
        if self._schedule is None:
            return None
        try:
            schedule = Schedule.parse(json.loads(self._schedule.read_text(encoding="utf-8")))
        except (OSError, ValueError, RecursionError):
            return None
        return schedule if schedule.job == job else None
