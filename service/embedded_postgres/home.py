"""Where a database's files are, and whose they are.

home/                 of the caller; the account that runs the server may only pass through it
  lock                held while the database is created, started or stopped
  users               shared by everybody who uses the server
  server              held by the server's own processes, as long as one of them lives
  start.log           what the server said before it opened its log
  socket_folder       where the socket is, if a path below this folder would be too long for one
  cluster/            made under another name and renamed: it is whole or it is not there
    password          of the role `mixwright`, mode 0600
    pg_hba.conf       who may connect
    data/             PostgreSQL's own, mode 0700
  socket/  log/       of the account, mode 0700
"""

import hashlib
import os
import stat
import sys
from dataclasses import dataclass, replace
from pathlib import Path

from service.embedded_postgres.account import Account, can_enter, name_of, server_accounts
from service.embedded_postgres.errors import OWN_SERVER, FolderError, UnsupportedPlatformError
from service.embedded_postgres.progress import Report

STATE_FOLDER = Path(
    "/var/lib/mixwright"
)  # root's database, when the account cannot reach the requested folder


@dataclass(frozen=True)
class Home:
    """The files of one database, and the account that runs its server."""

    folder: Path
    account: Account

    @property
    def lock(self) -> Path:
        """Locked while the database is created, started or stopped."""
        return self.folder / "lock"

    @property
    def users(self) -> Path:
        """Locked together by everybody who uses the server."""
        return self.folder / "users"

    @property
    def server(self) -> Path:
        """Locked by the server's own processes."""
        return self.folder / "server"

    @property
    def cluster(self) -> Path:
        """Everything that is made once, together."""
        return self.folder / "cluster"

    @property
    def data(self) -> Path:
        """PostgreSQL's data folder."""
        return self.cluster / "data"

    @property
    def log(self) -> Path:
        """The folder of the server's log files."""
        return self.folder / "log"

    @property
    def start_log(self) -> Path:
        """What the server said before it opened its log."""
        return self.folder / "start.log"

    @property
    def label(self) -> str:
        """A name for the server's processes, distinct for every data folder."""
        return f"mixwright-{_digest(self.data)}"


def default_folder(data_folder: Path) -> Path:
    """Where the embedded database is, within the folder that holds all data of a user."""
    return data_folder / "postgres"


def copies_folder() -> Path:
    """Where root keeps programs that the server's account could not reach in their own place."""
    return STATE_FOLDER / "binaries"


def find_home(folder: Path, *, report: Report) -> Home:
    """Decide where the database of a requested folder is, and create that folder.

    Root keeps the database in the requested folder if the account that runs the server can get there, and
    otherwise in a folder of its own; no mode of an existing folder is changed for it. Once a database
    exists its place is settled, even if modes change later.

    Raises:
        UnsupportedPlatformError: this operating system has no locks and sockets of the kind needed.
        AccountError: root has no account to run the server with.
        FolderError: the database belongs to somebody else, or nothing can be kept here.
    """
    if sys.platform == "win32":
        raise UnsupportedPlatformError(f"the embedded PostgreSQL does not run on Windows: {OWN_SERVER}")
    folder = folder.expanduser().resolve()
    account, *others = server_accounts()
    home = Home(folder, account)
    if os.geteuid() == 0:
        home = _home_of_root(folder, account, report)
    else:
        folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    return _with_owner(home, others)


def make_private_folder(folder: Path, account: Account) -> None:
    """Make sure of a folder that the account alone can enter.

    Raises:
        FolderError: something else is there under this name, or the folder is somebody else's.
    """
    folder.mkdir(mode=0o700, exist_ok=True)
    status = folder.lstat()
    if stat.S_ISDIR(status.st_mode) and status.st_uid == os.geteuid() != account.uid:
        os.chown(folder, account.uid, account.gid, follow_symlinks=False)
        status = folder.lstat()
    if not stat.S_ISDIR(status.st_mode) or status.st_uid != account.uid:
        raise FolderError(folder, f"it is not a folder of the account {account.name!r}, so remove it")
    if status.st_mode & 0o077:
        folder.chmod(0o700)


def make_passable(folder: Path) -> None:
    """Make sure of a folder of root's that the server's account can pass through, whatever the umask is."""
    folder.mkdir(mode=0o755, parents=True, exist_ok=True)
    status = folder.stat()
    if status.st_uid == 0 and not status.st_mode & 0o001:
        folder.chmod(status.st_mode | 0o055)


def _home_of_root(folder: Path, account: Account, report: Report) -> Home:
    apart = Home(STATE_FOLDER / _digest(folder), account)
    if apart.cluster.exists():
        return apart
    here = Home(folder, account)
    if here.cluster.exists():
        return here
    folder.mkdir(parents=True, exist_ok=True)
    # In a folder of an ordinary user that user could swap the files that root is about to write.
    if _is_safe(folder, account) and can_enter(account, folder):
        return here
    make_passable(STATE_FOLDER)
    if not _is_safe(STATE_FOLDER, account) or not can_enter(account, STATE_FOLDER):
        raise FolderError(
            STATE_FOLDER, f"it must belong to root, be writable for root alone and let {account.name!r} pass"
        )
    make_passable(apart.folder)
    report(
        f"PostgreSQL does not run as root, and the account {account.name!r} has no place in {folder}: "
        f"the database is kept in {apart.folder}"
    )
    return apart


def _is_safe(folder: Path, account: Account) -> bool:
    """Whether nobody but root and the server's account can change what is in a folder."""
    status = folder.stat()
    return status.st_uid in {0, account.uid} and not status.st_mode & 0o022


def _with_owner(home: Home, others: list[Account]) -> Home:
    """The same home under the account that owns its data, for only the owner can run the server."""
    try:
        owner = home.data.stat().st_uid
    except FileNotFoundError:
        return home
    for account in (home.account, *others):
        if account.uid == owner:
            return replace(home, account=account)
    raise FolderError(
        home.folder, f"its data belong to the account {name_of(owner)!r}, so run as the user that created it"
    )


def _digest(path: Path) -> str:
    return hashlib.sha256(os.fsencode(path)).hexdigest()[:16]
