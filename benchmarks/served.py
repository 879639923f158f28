"""The service of a benchmark: a process with its own PostgreSQL, in a folder that is gone afterwards."""

import os
import signal
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import httpx

from mixwright.demo.service_process import Address, ServiceProcess
from service.embedded_postgres import EmbeddedPostgres, default_folder

_START_SECONDS = 120


@dataclass(frozen=True)
class Served:
    """A running service.

    Args:
        address: where it is, and its key.
        pid: its first process.
        folder: for whatever else is to be gone afterwards.
        process: what starts it again.
    """

    address: Address
    pid: int
    folder: Path
    process: ServiceProcess

    @contextmanager
    def database(self) -> Iterator[str]:
        """The address of its database."""
        with EmbeddedPostgres(default_folder(self.folder / "data")) as server:
            yield server.url

    def start_again(self) -> None:
        """End the service and wait until a new process answers at the same address."""
        old = self.process.pid
        os.kill(old, signal.SIGTERM)
        deadline = time.monotonic() + _START_SECONDS
        while self.process.pid == old or not self._answers():
            if time.monotonic() > deadline:
                raise RuntimeError(f"the service did not come back within {_START_SECONDS} s")
            time.sleep(0.05)

    def _answers(self) -> bool:
        try:
            return httpx.get(f"{self.address.url}/readyz", trust_env=False).is_success
        except httpx.TransportError:
            return False


@contextmanager
def served() -> Iterator[Served]:
    """Start the service, whose one key may ask for everybody, and end it."""
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        os.environ["MIXWRIGHT_DATA_FOLDER"] = str(folder / "data")
        os.environ["MIXWRIGHT_REQUESTS_PER_SECOND"] = "1e6"
        service = ServiceProcess()
        try:
            address = service.start()
            yield Served(address, service.pid, folder, service)
        finally:
            service.stop()
