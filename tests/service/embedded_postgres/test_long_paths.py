"""A socket's address is short; the paths of folders are not."""

import os
import shutil
import stat
import tempfile
from collections.abc import Callable, Iterator
from contextlib import suppress
from pathlib import Path
from urllib.parse import parse_qs, urlsplit

import pytest

from service.embedded_postgres import EmbeddedPostgres, FolderError, RunningServer
from service.embedded_postgres.account import Account
from tests.service.embedded_postgres.actors import postmaster, rows, sweep

Embedded = Callable[..., EmbeddedPostgres]


@pytest.fixture
def deep(stopped: Path, place: Path) -> Iterator[Path]:
    """The shared home under a path that leaves no room for the name of a socket."""
    folder = place / ("long-" * 12) / ("path-" * 12)
    folder.parent.mkdir()
    stopped.rename(folder)
    yield folder
    sweep(folder)
    with suppress(FileNotFoundError):
        shutil.rmtree((folder / "socket_folder").read_text())
        (folder / "socket_folder").unlink()
    folder.rename(stopped)


def socket_folder(server: RunningServer) -> Path:
    return Path(parse_qs(urlsplit(server.url).query)["host"][0])


def test_a_short_private_folder_is_used_while_the_server_runs(
    embedded: Embedded, deep: Path, server_account: Account
) -> None:
    with embedded(deep) as server, embedded(deep) as again:
        assert rows(server.url, "SELECT 1") == [(1,)]
        assert again.url == server.url
        sockets = socket_folder(server)
        assert not sockets.is_relative_to(deep)
        assert len(os.fsencode(sockets / ".s.PGSQL.5432")) <= 100
        status = sockets.lstat()
        assert (stat.S_IMODE(status.st_mode), status.st_uid) == (0o700, server_account.uid)
    assert not sockets.exists()


def test_a_short_folder_that_a_cleaner_took_is_replaced(embedded: Embedded, deep: Path) -> None:
    server = embedded(deep).start()
    first = postmaster(deep)
    shutil.rmtree(socket_folder(server))
    again = embedded(deep).start()
    assert rows(again.url, "SELECT 1") == [(1,)]
    assert postmaster(deep) != first


@pytest.mark.parametrize("trap", ["open to all", "a link", "nothing"])
def test_a_recorded_folder_that_is_not_ours_alone_is_not_used(
    embedded: Embedded, deep: Path, place: Path, server_account: Account, trap: str
) -> None:
    with embedded(deep) as server:
        record = server.folder / "socket_folder"
    trapped = place / "mixwright-trapped"
    if trap == "a link":
        (place / "private").mkdir(mode=0o700)
        os.chown(place / "private", server_account.uid, server_account.gid)
        trapped.symlink_to(place / "private")
    elif trap == "open to all":
        trapped.mkdir()
        os.chown(trapped, server_account.uid, server_account.gid)
        trapped.chmod(0o777)
    record.write_bytes(b"" if trap == "nothing" else os.fsencode(trapped))
    server = embedded(deep).start()
    assert rows(server.url, "SELECT 1") == [(1,)]
    assert socket_folder(server).parent == Path(tempfile.gettempdir())


def test_a_socket_that_was_removed_comes_back_with_the_next_start(embedded: Embedded, home: Path) -> None:
    server = embedded().start()
    (home / "socket" / ".s.PGSQL.5432").unlink()
    assert embedded().start() == server
    assert rows(server.url, "SELECT 1") == [(1,)]


def test_a_socket_folder_of_somebody_else_is_refused(embedded: Embedded, home: Path, place: Path) -> None:
    with embedded():
        pass
    sockets = home / "socket"
    sockets.rmdir()
    (place / "elsewhere").mkdir()
    sockets.symlink_to(place / "elsewhere")
    with pytest.raises(FolderError, match=r"remove it"):
        embedded().start()
    sockets.unlink()
