"""Sends reports in the background: the training loop drops them into a bounded queue and goes on."""

import contextlib
import logging
import queue
import threading
import time
from collections import Counter
from collections.abc import Callable
from typing import Any
from urllib.parse import quote

from mixclient.backoff import Backoff
from mixclient.errors import ServiceError, ServiceUnreachableError
from mixclient.recorder import Step
from mixclient.service.clients import ServiceClient
from mixclient.spool import ATTEMPT, Spool, number_it

_log = logging.getLogger("mixclient")

BATCH = 100  # reports in one request
_LEAVING_PAUSE = 0.5  # seconds between tries of a trainer that is about to end
_TOO_LARGE = 413
# An expired key may be renewed and a lost job restored, so that nothing is taken off for these.
_KEPT_BACK = frozenset({401, 403, 404})
# What the service says of a state token that it cannot bring back.
_TOKEN_REFUSED = frozenset({409, 422})
_DRAINED = 20_000  # items that one turn takes at most


class Reporter:
    """A thread that takes reports off a queue, spools them, and sends them in order.

    Args:
        service: a connection of its own; closed with the reporter.
        job: name of the job.
        spool: where reports wait.
        prepare: makes reports of the steps that were handed over.
        on_answer: called with each answer of the service; it names the newest version.
        on_attempt: called with the number of each attempt that was opened.
        queue_limit: reports that may wait between two turns of the thread; beyond it they are dropped
            and counted.
    """

    def __init__(
        self,
        service: ServiceClient,
        job: str,
        spool: Spool,
        *,
        prepare: Callable[[list[Step]], list[dict[str, Any]]],
        on_answer: Callable[[dict[str, Any]], None],
        on_attempt: Callable[[int], None],
        queue_limit: int = 10_000,
    ) -> None:
        self.counters: Counter[str] = Counter()
        self._service = service
        self._path = f"/v1/jobs/{quote(job, safe='')}"
        self._spool = spool
        self._prepare = prepare
        self._on_answer, self._on_attempt = on_answer, on_attempt
        self._attempt: int | None = None  # opened last
        # The simple queue is the one that a signal handler may use while the loop it interrupts does.
        self._queue: queue.SimpleQueue[dict[str, Any] | list[Step] | None] = queue.SimpleQueue()
        self._queue_limit = queue_limit
        self._backoff = Backoff()
        self._give_up_at: float | None = None  # set while closing
        self._thread = threading.Thread(target=self._run, name="mixclient-reporter", daemon=True)

    def start(self) -> None:
        """Start the thread."""
        self._thread.start()

    def deliver(self, *, timeout: float) -> None:
        """Send all that waits, in the caller's thread, before the start.

        Raises:
            ServiceUnreachableError: no usable answer within `timeout` seconds, or a passing refusal.
            ServiceError: the service refuses the key, the job, or the attempt that is owed last.
        """
        self._send_all(timeout=timeout, starting=True)

    @property
    def queued(self) -> int:
        """Items that the thread has not fetched yet."""
        return self._queue.qsize()

    def put(self, item: dict[str, Any] | list[Step]) -> None:
        """Queue an acknowledgement, or steps to report; never waits, never raises."""
        if self._queue.qsize() < self._queue_limit:
            self._queue.put(item)
        else:
            self.counters["dropped_queue_full"] += 1

    def close(self, timeout: float) -> bool:
        """Send what waits, for at most `timeout` seconds; True if nothing stays in the spool."""
        self._give_up_at = time.monotonic() + timeout
        self._backoff.longest = _LEAVING_PAUSE
        self._queue.put(None)  # wakes the thread
        if self._thread.ident is not None:
            self._thread.join(timeout)
        # The thread may hang in a request, or was never started: what it did not fetch goes to disk.
        self._drain(wait=0.0)
        if not self._thread.is_alive():
            self._service.close()  # otherwise the thread does so when it ends: its request is under way
        return not self._thread.is_alive() and len(self._spool) == 0

    def _run(self) -> None:
        due, leaving = 0.0, False  # when the next try may begin, on the monotonic clock
        while True:
            try:
                self._drain(wait=max(0.0, due - time.monotonic()) if len(self._spool) else None)
                if self._give_up_at is not None and not leaving:
                    leaving, due = True, 0.0  # once more at once, however long the service has been away
                if time.monotonic() >= due:
                    self._send_all()
                    self._backoff.succeeded()
            except Exception as error:  # noqa: BLE001 - without this thread nothing is ever sent again
                due = time.monotonic() + self._backoff.failed(error)
                self.counters["failed_sends"] += 1
                _log.info("%d reports wait: %s", len(self._spool), error)
            if self._give_up_at is not None and (
                time.monotonic() >= self._give_up_at or (self._queue.empty() and not len(self._spool))
            ):
                self._service.close()
                return

    def _drain(self, *, wait: float | None) -> None:
        """Move the queue to the spool; wait for the first item, or at most `wait` seconds."""
        if self._give_up_at is not None:
            wait = min(wait or 0.0, max(0.0, self._give_up_at - time.monotonic()))
        items: list[dict[str, Any] | list[Step] | None] = []
        with contextlib.suppress(queue.Empty):
            items.append(self._queue.get(timeout=wait) if wait != 0.0 else self._queue.get_nowait())
            while len(items) < _DRAINED:  # a trainer that never pauses must not keep us from sending
                items.append(self._queue.get_nowait())
        waiting: list[dict[str, Any]] = []
        for item in items:
            try:
                waiting += self._prepare(item) if isinstance(item, list) else [item] if item else []
            except Exception:  # noqa: BLE001 - what one trainer gives must not cost what others have measured
                self.counters["dropped_unusable"] += 1
        if not self._spool.owes_attempt:
            for report in waiting:
                number_it(report, self._attempt)
        self._spool.extend(waiting)

    def _send_all(self, *, timeout: float | None = None, starting: bool = False) -> None:
        while len(self._spool):
            batch = self._spool.oldest(BATCH)
            kind = batch[0]["kind"]
            if kind == ATTEMPT:
                strict = starting and len(self._spool) == 1
                self._attempt = self._opened(batch[0]["body"], timeout, strict=strict)
                self._spool.opened(self._attempt)
                self._on_attempt(self._attempt)
                continue
            alike = next((i for i, item in enumerate(batch) if item["kind"] != kind), len(batch))
            self._send(kind, [item["body"] for item in batch[:alike]], timeout)
            self._spool.take_off(alike)

    def _opened(self, body: dict[str, Any], timeout: float | None, *, strict: bool) -> int:
        """Open an attempt; a token that is refused while the job trains costs the token, not the attempt."""
        try:
            answer = self._call(ATTEMPT, body, timeout)
        except ServiceError as error:
            if strict or "state_token" not in body or error.status not in _TOKEN_REFUSED:
                raise
            self.counters["refused_state_tokens"] += 1
            _log.error("the policy's state is restored by step, since its token is refused: %s", error)
            answer = self._call(ATTEMPT, {"from_step": body["from_step"]}, timeout)
        number = answer.get("number")
        if not isinstance(number, int):
            raise ServiceUnreachableError("the answer to an attempt has no number: it may not be open")
        return number

    def _call(self, kind: str, body: dict[str, Any], timeout: float | None) -> dict[str, Any]:
        try:
            answer = self._service.call("POST", f"{self._path}/{kind}", body=body, timeout=timeout)
        except ServiceError as error:
            # A page of a server in between says nothing of the reports, unless that they are too large.
            if error.may_pass and error.status != _TOO_LARGE:
                unreachable = ServiceUnreachableError(str(error))
                unreachable.retry_after = error.retry_after
                raise unreachable from None
            raise
        if not isinstance(answer, dict):
            raise ServiceUnreachableError(f"the answer to the {kind} is no object: they may not be stored")
        return answer

    def _send(self, kind: str, bodies: list[dict[str, Any]], timeout: float | None) -> None:
        """Send a batch; where the service refuses it, each item by itself, so that one spoils no other."""
        try:
            answer = self._call(kind, {kind: bodies}, timeout)
        except ServiceError as error:
            if error.status in _KEPT_BACK:
                raise
            if len(bodies) > 1:
                for body in bodies:
                    self._send(kind, [body], timeout)
                return
            self.counters[f"refused_{error.code}"] += 1
            _log.warning("the service refused one of the %s: %s", kind, error)
            return
        self.counters[f"sent_{kind}"] += len(bodies)
        for name in ("accepted", "duplicates", "late"):
            count = answer.get(name)
            self.counters[name] += count if isinstance(count, int) else 0
        self._on_answer(answer)
