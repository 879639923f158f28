"""Signs of life of a worker beside its training, and with them what it observed on the way."""

import logging
import threading
from collections import deque
from collections.abc import Mapping
from itertools import islice
from typing import Self

from mixclient.documents.runs import ObservationBody

from mixclient import ConflictError, MixclientError, ServiceClient

_log = logging.getLogger("proxy_training")

_MOST_AT_ONCE = 1000  # observations of one request
_BEATS_PER_LEASE = 4  # two lost ones in a row restart nothing


class LeaseLostError(Exception):
    """Another worker has the run now: this one must stop."""


class Heartbeat:
    """A thread that renews a lease while its run is trained.

    Args:
        service: a connection of its own.
        run_id: the run.
        lease: proof of the claim.
        lease_seconds: how long the claim holds.
    """

    def __init__(self, service: ServiceClient, run_id: str, lease: str, lease_seconds: float) -> None:
        self._service = service
        self._run_id, self._lease = run_id, lease
        self._interval = lease_seconds / _BEATS_PER_LEASE
        self._progress = 0.0
        self._unsent: deque[ObservationBody] = deque()
        self._sending = threading.Lock()
        self._lost = threading.Event()
        self._done = threading.Event()
        self._thread = threading.Thread(target=self._run, name="heartbeat", daemon=True)

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._done.set()
        self._thread.join()

    def told(self, progress: float) -> None:
        """Note how far the run is.

        Raises:
            LeaseLostError: the run was given to another worker, or is finished.
        """
        self._progress = min(progress, 1.0)
        if self._lost.is_set():
            raise LeaseLostError(f"run {self._run_id} is not ours any more")

    def observed(self, step: int, values: Mapping[str, float]) -> None:
        """Note values of targets at a step; they are sent with the next sign of life."""
        self._unsent.extend({"step": step, "target": name, "value": value} for name, value in values.items())

    def send(self) -> None:
        """Send what was observed.

        Raises:
            ConflictError: the run was given to another worker, or is finished.
            MixclientError: it could not be sent, and is kept.
        """
        with self._sending:
            while self._unsent:
                part = list(islice(self._unsent, _MOST_AT_ONCE))
                self._service.observe(self._run_id, self._lease, part)
                for _ in part:
                    self._unsent.popleft()

    def _run(self) -> None:
        while not self._done.wait(self._interval):
            try:
                self._service.heartbeat(self._run_id, self._lease, self._progress)
                self.send()
            except ConflictError as error:
                _log.warning("%s", error.detail)
                self._lost.set()
                return
            except MixclientError as error:
                # The service may come back before anybody else claims the run.
                _log.info("no answer to a heartbeat: %s", error)
