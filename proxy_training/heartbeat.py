"""Signs of life of a worker, beside its training."""

import logging
import threading
from typing import Self

from mixclient import ConflictError, MixclientError, ServiceClient

_log = logging.getLogger("proxy_training")

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

    def _run(self) -> None:
        while not self._done.wait(self._interval):
            try:
                self._service.heartbeat(self._run_id, self._lease, self._progress)
            except ConflictError as error:
                _log.warning("%s", error.detail)
                self._lost.set()
                return
            except MixclientError as error:
                # The service may come back before anybody else claims the run.
                _log.info("no answer to a heartbeat: %s", error)
