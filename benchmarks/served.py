"""The service of a benchmark: a process with its own PostgreSQL, in a folder that is gone afterwards."""

import os
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from mixwright.demo.service_process import Address, ServiceProcess
from service.embedded_postgres import EmbeddedPostgres, default_folder


@dataclass(frozen=True)
class Served:
    """A running service.

    Args:
        address: where it is, and its key.
        pid: its process.
        folder: for whatever else is to be gone afterwards.
    """

    address: Address
    pid: int
    folder: Path

    @contextmanager
    def database(self) -> Iterator[str]:
        """The address of its database."""
        with EmbeddedPostgres(default_folder(self.folder / "data")) as server:
            yield server.url


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
            yield Served(address, service.pid, folder)
        finally:
            service.stop()
