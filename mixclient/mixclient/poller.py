"""Hears of new schedules in the background: a long poll with an ETag, and backoff while nobody answers."""

import logging
import random
import threading
import time
from collections import Counter
from collections.abc import Callable, Mapping
from typing import Any

from mixclient.errors import ScheduleError, ServiceUnreachableError
from mixclient.schedule import Schedule
from mixclient.service.clients import ServiceClient

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
        on_heard: called whenever the service has confirmed the schedule in hand, or given a newer one.
        afresh: whether the schedule is wanted even if it is the one that came last.
    """

    def __init__(
        self,
        service: ServiceClient,
        job: str,
        *,
        on_schedule: Callable[[Schedule], None],
        on_heard: Callable[[], None],
        afresh: Callable[[], bool],
    ) -> None:
        self.counters: Counter[str] = Counter()
        self._service = service
        self._job = job
        self._on_schedule, self._on_heard, self._afresh = on_schedule, on_heard, afresh
        self.failing = True  # whether the last poll had no usable answer
        self._tag: str | None = None
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
        tag = None if self._afresh() else self._tag
        answer = self._service.schedule(self._job, tag=tag, wait=wait, timeout=timeout)
        if answer is None:
            self.counters["unchanged"] += 1
        else:
            self._take(answer.value)
            # Remembered only now: a schedule that was refused must be offered again.
            self._tag = answer.tag
            self.counters["schedules"] += 1
        self.failing = False
        self._on_heard()

    def _take(self, document: Mapping[str, Any]) -> None:
        if "schema" not in document:
            raise ServiceUnreachableError(f"{self._job}: the answer is not a schedule: is this the service?")
        try:
            self._on_schedule(Schedule.parse(document))
        except ScheduleError:
            self.counters["refused_schedules"] += 1
            raise

    def _run(self) -> None:
        pause = 0.0
        while not self._closing.wait(pause):
            started = time.monotonic()
            try:
                self.poll(wait=WAIT_SECONDS)
                pause = max(0.0, _LEAST_TURN - (time.monotonic() - started))
            except Exception as error:  # noqa: BLE001 - without this thread no later schedule is heard of
                if not self._closing.is_set():
                    self._failed(error)
                pause = min(max(2 * pause, _FIRST_PAUSE), _LONGEST_PAUSE) * random.uniform(0.5, 1.0)  # noqa: S311

    def _failed(self, error: Exception) -> None:
        self.counters["failed_polls"] += 1
        level = logging.INFO if self.failing else logging.WARNING  # once for each time of silence
        _log.log(level, "following the last known schedule: %s", error)
        self.failing = True
