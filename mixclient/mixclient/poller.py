"""Hears of new schedules in the background: a long poll with an ETag, and backoff while nobody answers."""

import logging
import random
import threading
import time
from collections import Counter
from collections.abc import Callable
from urllib.parse import quote

from mixclient.api import ServiceClient, decoded
from mixclient.errors import ScheduleError
from mixclient.schedule import Schedule

_log = logging.getLogger("mixclient")

WAIT_SECONDS = 25  # how long the service may hold a poll open; under the idle timeout of common proxies
_FIRST_PAUSE, _LONGEST_PAUSE = 0.2, 30.0
_LEAST_TURN = 0.05  # seconds; a server that answers every long poll at once must not be hammered


class Poller:
    """A thread that keeps asking for the schedule.

    Args:
        service: a connection of its own.
        job: name of the job.
        on_schedule: called with each new schedule; what it raises counts as a refused schedule.
    """

    def __init__(self, service: ServiceClient, job: str, *, on_schedule: Callable[[Schedule], None]) -> None:
        self.counters: Counter[str] = Counter()
        self._service = service
        self._path = f"/v1/jobs/{quote(job, safe='')}/schedule"
        self._on_schedule = on_schedule
        self._etag: str | None = None
        self._closing = threading.Event()
        self._thread = threading.Thread(target=self._run, name="mixclient-poller", daemon=True)

    def start(self) -> None:
        """Start the thread."""
        self._thread.start()

    def close(self) -> None:
        """Ask the thread to end; a poll in flight ends with its connection."""
        self._closing.set()

    def poll(self, *, wait: int = 0, timeout: float = 10.0) -> None:
        """Ask once.

        Raises:
            MixclientError: no usable answer; the schedule in hand stays.
        """
        headers = {"Prefer": f"wait={wait}"} if wait else {}
        if self._etag is not None:
            headers["If-None-Match"] = self._etag
        response = self._service.send("GET", self._path, headers=headers, timeout=wait + timeout)
        if response.status_code == 304:
            self.counters["unchanged"] += 1
            return
        document = decoded(response)
        if not isinstance(document, dict):
            raise ScheduleError("the answer is not a schedule document")
        try:
            self._on_schedule(Schedule.parse(document))
        except ScheduleError:
            self.counters["refused_schedules"] += 1
            raise
        # Remembered only now: a schedule that was refused must be offered again.
        self._etag = response.headers.get("ETag")
        self.counters["schedules"] += 1

    def _run(self) -> None:
        pause = 0.0
        while not self._closing.wait(pause):
            started = time.monotonic()
            try:
                self.poll(wait=WAIT_SECONDS)
                pause = max(0.0, _LEAST_TURN - (time.monotonic() - started))
            except Exception as error:  # noqa: BLE001 - without this thread no later schedule is heard of
                self.counters["failed_polls"] += 1
                pause = min(max(2 * pause, _FIRST_PAUSE), _LONGEST_PAUSE) * random.uniform(0.5, 1.0)  # noqa: S311
                _log.info("following the last known schedule: %s", error)
