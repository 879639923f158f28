"""The embedded server as its users see it: start it or join it, get a URL, and leave."""

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from types import TracebackType

from service.embedded_postgres.cluster import check_version, create_cluster, read_password
from service.embedded_postgres.database import ensure_database
from service.embedded_postgres.errors import FolderError
from service.embedded_postgres.file_lock import FileLock
from service.embedded_postgres.home import Home, copies_folder, find_home
from service.embedded_postgres.installation import Installation, find_installation
from service.embedded_postgres.progress import Report
from service.embedded_postgres.running import ensure_running, ensure_stopped
from service.embedded_postgres.socket_folder import socket_folder


@dataclass(frozen=True)
class RunningServer:
    """A server that accepts connections."""

    url: str = field(repr=False)  # holds the password
    """For `psycopg.connect`: socket, role, password and database."""
    folder: Path
    """Where its files are; root's can be elsewhere than requested."""


@dataclass(frozen=True)
class _Use:
    """One user's part in a server: both files stay open, so that the part can be given back in any case."""

    home: Home
    lock: FileLock
    users: FileLock


def _say_nothing(message: str) -> None:
    """Report to nobody."""


class EmbeddedPostgres:
    """A PostgreSQL server that runs for as long as somebody uses it, shared by all who name its folder.

    `start` creates the database the first time, starts the server unless it runs, and counts the caller
    among the users. `release` ends that, and the last user stops the server. A user that is killed counts
    no longer; the server it leaves alone is taken over by the next one. A forked child shares its parent's
    use: only one of them may release it.

    Args:
        folder: where the database is kept. Root's can be elsewhere, which is reported.
        report: is told, in whole sentences, what takes time and why.
    """

    def __init__(self, folder: Path, *, report: Report = _say_nothing) -> None:
        self._folder = folder
        self._report = report
        self._use: _Use | None = None
        self._guard = threading.Lock()  # file locks do not tell the threads of one user apart

    def __enter__(self) -> RunningServer:
        return self.start()

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        self.release()

    def start(self) -> RunningServer:
        """Join the users of the server and start it unless it runs; again, revive a server that died.

        Raises:
            EmbeddedPostgresError: what is wrong and what to do; this object then uses no server.
        """
        with self._guard, _told_as_folder_error(self._folder):
            if self._use is None:
                home = find_home(self._folder, report=self._report)
                check_version(home)
                self._use = _Use(home, FileLock(home.lock), FileLock(home.users))
            use = self._use
            with use.lock.held(self._report):
                try:
                    use.users.try_shared()  # nobody holds it exclusively without holding `lock`
                    return self._bring_up(use.home)
                except BaseException:
                    self._leave(use)
                    raise

    def release(self) -> None:
        """Leave the users of the server; the last one stops it and waits for that. Again, do nothing."""
        with self._guard, _told_as_folder_error(self._folder):
            use = self._use
            if use is not None:
                with use.lock.held(self._report):
                    self._leave(use)

    def _bring_up(self, home: Home) -> RunningServer:
        is_new = not home.cluster.exists()
        if is_new:
            self._report(f"creating a PostgreSQL database in {home.folder}")
            create_cluster(home, self._installation(home))
        sockets = socket_folder(home)
        ensure_running(home, sockets, lambda: self._installation(home), report=self._report)
        return RunningServer(ensure_database(sockets, read_password(home), is_new=is_new), home.folder)

    def _installation(self, home: Home) -> Installation:
        return find_installation(home.account, copies=copies_folder(), report=self._report)

    def _leave(self, use: _Use) -> None:
        try:
            if use.users.try_exclusive():
                ensure_stopped(use.home, report=self._report)
        finally:
            self._use = None
            use.users.close()
            use.lock.close()


@contextmanager
def _told_as_folder_error(folder: Path) -> Iterator[None]:
    """Tell what the system refused, and what to do about it."""
    try:
        yield
    except OSError as error:
        named = f" ({error.filename})" if error.filename is not None else ""
        raise FolderError(folder, f"{error.strerror or error}{named}") from error
