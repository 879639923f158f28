"""Where the server's socket is: a private folder, near the data if its path can be the address of a socket.

The address of a Unix socket holds 104 to 108 bytes, less than many paths have, and libpq takes a comma in
it for the end of a host's name. A home with such a path gets a short folder of its own among the temporary
files, with a random name, recorded in the home.
"""

import os
import tempfile
from contextlib import suppress
from pathlib import Path

from service.embedded_postgres.errors import FolderError
from service.embedded_postgres.home import Home, make_private_folder

SOCKET_NAME = ".s.PGSQL.5432"
LONGEST_PATH = 100  # bytes; macOS has room for 103 and a final zero
_PREFIX = "mixwright-"


def socket_folder(home: Home) -> Path:
    """The folder of the server's socket, which is created where it is missing.

    Raises:
        FolderError: no private folder with a short path can be made.
    """
    near = home.folder / "socket"
    if _fits(near):
        make_private_folder(near, home.account)
        return near
    recorded = _recorded(home)
    if recorded is not None:
        return recorded
    short = _new_short_folder(home)
    _record(home).write_bytes(os.fsencode(short))
    return short


def remove_short_folder(home: Home) -> None:
    """Leave nothing among the temporary files once the server has stopped."""
    recorded = _recorded(home)
    if recorded is not None:
        remove_sockets(recorded)
        with suppress(OSError):  # somebody else's file in it is no reason to fail
            recorded.rmdir()
        _record(home).unlink()


def remove_sockets(folder: Path) -> None:
    """Remove what a killed server left; its lock file could name a process of somebody else by now."""
    for name in (SOCKET_NAME, f"{SOCKET_NAME}.lock"):
        (folder / name).unlink(missing_ok=True)


def _fits(folder: Path) -> bool:
    return len(os.fsencode(folder / SOCKET_NAME)) <= LONGEST_PATH and "," not in str(folder)


def _record(home: Home) -> Path:
    return home.folder / "socket_folder"


def _recorded(home: Home) -> Path | None:
    """The short folder in use, unless a cleaner of temporary files took it, or it is not ours."""
    try:
        folder = Path(os.fsdecode(_record(home).read_bytes()))
        status = folder.lstat()
    except OSError:
        return None
    # A record cut short by a kill could name any folder: only one of our own making is believed.
    named = folder.is_absolute() and folder.name.startswith(_PREFIX)
    private = status.st_uid == home.account.uid and status.st_mode & 0o170777 == 0o040700
    return folder if named and private else None


def _new_short_folder(home: Home) -> Path:
    for parent in (tempfile.gettempdir(), "/tmp"):  # noqa: S108 - TMPDIR itself can be too long
        if _fits(Path(parent) / f"{_PREFIX}12345678"):
            folder = Path(tempfile.mkdtemp(prefix=_PREFIX, dir=parent))
            make_private_folder(folder, home.account)
            return folder
    raise FolderError(home.folder, "its path cannot hold a socket, nor can that of the temporary folder")
