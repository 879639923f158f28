"""Hears of new schedules in the background: a long poll with an ETag, and backoff while nobody answers.

A long poll hears of a version as soon as it is there, and costs the service one request in 25 seconds.
Where no more can wait there, or something in between answers at once, polls are fewer, and do not wait.
"""

import logging
import threading
import time
from collections import Counter
from collections.abc import Callable, Mapping
from typing import Any

from mixclient.backoff import Backoff
from mixclient.errors import ForeignAnswerError, ScheduleError, ServiceError
from mixclient.schedule import Schedule
from mixclient.service.clients import ServiceClient

_log = logging.getLogger("mixclient")

WAIT_SECONDS = 25  # how long the service may hold a poll open; under the idle timeout of common proxies
_LEAST_TURN = 0.05  # seconds between two polls, however fast versions come
_WAITED = 1.0  # seconds; an unchanged schedule that is confirmed sooner was not waited for
_LONGEST_UNWAITED = 5.0  # seconds between polls that do not wait; versions are not to come much later
_NO_PLACE = "too_many_waiters"  # code of a service where as many wait already as may


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
        self.heard_at = time.monotonic()  # when the last usable answer came, or the client was made
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
        self.counters["polls"] += 1
        try:
            answer = self._service.schedule(self._job, tag=tag, wait=wait, timeout=timeout)
        except ForeignAnswerError:
            self.counters["foreign_answers"] += 1
            raise
        if answer is None:
            self.counters["unchanged"] += 1
        else:
            self._take(answer.value)
            # Remembered only now: a schedule that was refused must be offered again.
            self._tag = answer.tag
            self.counters["schedules"] += 1
        self.failing, self.heard_at = False, time.monotonic()
        self._on_heard()

    def _take(self, document: Mapping[str, Any]) -> None:
        if "schema" not in document:
            self.counters["foreign_answers"] += 1
            raise ForeignAnswerError(f"{self._job}: the answer is not a schedule: is this the service?")
        try:
            self._on_schedule(Schedule.parse(document))
        except ScheduleError as error:
            self.counters["refused_schedules"] += 1
            self.counters[f"refused_schedules_{error.kind}"] += 1
            raise

    def _run(self) -> None:
        pause, backoff, hasty = 0.0, Backoff(), Backoff(longest=_LONGEST_UNWAITED)
        while not self._closing.wait(pause):
            try:
                pause = self._turn(backoff, hasty)
            except Exception as error:  # noqa: BLE001 - without this thread no later schedule is heard of
                if not self._closing.is_set():
                    self._failed(error)
                pause = backoff.failed(error)

    def _turn(self, backoff: Backoff, hasty: Backoff) -> float:
        """Ask once, and say after how many seconds to ask again; `hasty` is for answers that did not wait."""
        began, unchanged = time.monotonic(), self.counters["unchanged"]
        try:
            self.poll(wait=WAIT_SECONDS)
        except ServiceError as error:
            if error.code != _NO_PLACE:
                raise
            self.counters["without_a_place"] += 1
            self.poll()  # the service is there, and whoever does not wait is answered
            return hasty.failed(error)
        backoff.succeeded()
        took = time.monotonic() - began
        if self.counters["unchanged"] > unchanged and took < _WAITED:
            return hasty.failed()
        hasty.succeeded()
        return max(0.0, _LEAST_TURN - took)

    def _failed(self, error: Exception) -> None:
        self.counters["failed_polls"] += 1
        level = logging.INFO if self.failing else logging.WARNING  # once for each time of silence
        _log.log(level, "following the last known schedule: %s", error)
        self.failing = True
