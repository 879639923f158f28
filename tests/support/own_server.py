"""A PostgreSQL server of a test's own, which may be stopped and started again."""

import shutil
import signal
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from tempfile import mkdtemp

import psutil

from service import migrate
from service.db import Database
from service.embedded_postgres import EmbeddedPostgres

_MEMORY = Path("/dev/shm")


class OwnServer:
    """A server with one migrated database.

    Args:
        folder: where its data is.
    """

    def __init__(self, folder: Path) -> None:
        self.embedded = EmbeddedPostgres(folder)
        self.running = self.embedded.start()
        self.database = Database(self.running.url)
        migrate.upgrade(self.database.engine)

    def stop(self) -> None:
        """Stop it as an operator does who cannot wait: sessions are cut off in the middle."""
        pid_file = next(self.running.folder.rglob("postmaster.pid"))
        postmaster = psutil.Process(int(pid_file.read_text().split()[0]))
        postmaster.send_signal(signal.SIGINT)
        psutil.wait_procs([postmaster], timeout=30)

    def start(self) -> None:
        """Start it again."""
        self.embedded.start()

    def release(self) -> None:
        """Stop it for good."""
        self.database.close()
        self.embedded.release()


@contextmanager
def own_server() -> Iterator[OwnServer]:
    """A server that is gone afterwards."""
    place = Path(mkdtemp(prefix="mixwright-own-", dir=_MEMORY if _MEMORY.is_dir() else None))
    place.chmod(0o755)
    server = OwnServer(place / "postgres")
    try:
        yield server
    finally:
        server.release()
        shutil.rmtree(server.running.folder, ignore_errors=True)
        shutil.rmtree(place, ignore_errors=True)
