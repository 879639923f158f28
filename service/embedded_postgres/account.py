"""Who runs the server: PostgreSQL refuses to run as root, so root hands it to another account."""

import errno
import os
import subprocess
import sys
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from service.embedded_postgres.errors import OWN_SERVER, AccountError

if sys.platform != "win32":
    import pwd

ACCOUNT_NAMES = ("mixwright", "nobody")  # an account made for this purpose first
# Nothing of the caller's environment: a PGDATA or PGOPTIONS of the user would change the server.
_ENVIRONMENT = {"PATH": os.defpath, "LC_ALL": "C", "TZ": "UTC"}


@dataclass(frozen=True)
class Account:
    """An account of the operating system."""

    name: str
    uid: int
    gid: int

    @property
    def is_own(self) -> bool:
        """Whether this process runs under the account itself."""
        return self.uid == os.geteuid()


def server_accounts() -> tuple[Account, ...]:
    """The accounts that may run the server for this process, the preferred one first.

    Raises:
        AccountError: this process is root and the system has none of the accounts.
    """
    if os.geteuid() != 0:
        return (Account(name_of(os.geteuid()), os.geteuid(), os.getegid()),)
    found = tuple(account for name in ACCOUNT_NAMES if (account := _account(name)) is not None)
    if not found:
        names = " or ".join(map(repr, ACCOUNT_NAMES))
        raise AccountError(
            f"PostgreSQL does not run as root, and the system has no account {names}: "
            f"create one of them, run as an ordinary user, or {OWN_SERVER}"
        )
    return found


def name_of(uid: int) -> str:
    """The name of an account, or its number where it has none."""
    try:
        return pwd.getpwuid(uid).pw_name
    except KeyError:
        return str(uid)


def run_as(
    account: Account,
    arguments: Sequence[str | Path],
    *,
    stderr: int = subprocess.STDOUT,
    inherit: Sequence[int] = (),
) -> subprocess.CompletedProcess[str]:
    """Run a program to its end under an account, in a session of its own, away from any terminal.

    Args:
        account: whose rights the program gets; groups of the caller are dropped with the caller's.
        arguments: the program and what it is given.
        stderr: a descriptor for the error output, by default joined with the standard output.
        inherit: descriptors that the program and its children keep open.

    Raises:
        FileNotFoundError: the program does not exist where the account looks for it.
        PermissionError: the account may not run the program.
        AccountError: this process may not act as the account.
    """
    other = not account.is_own
    try:
        return subprocess.run(
            arguments,
            check=False,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=stderr,
            text=True,
            errors="replace",
            cwd="/",
            env=_ENVIRONMENT,
            umask=0o077,
            start_new_session=True,
            pass_fds=inherit,
            user=account.uid if other else None,
            group=account.gid if other else None,
            extra_groups=[] if other else None,
        )
    except OSError as error:
        if error.errno in {errno.EACCES, errno.ENOENT, errno.ENOEXEC, errno.ENOTDIR}:
            raise
        raise AccountError(
            f"cannot run a program as the account {account.name!r} ({error.strerror}): "
            f"run as an ordinary user, or {OWN_SERVER}"
        ) from error


def can_enter(account: Account, folder: Path) -> bool:
    """Whether the account can reach a folder, asked of the system itself: modes alone leave out much."""
    return run_as(account, ["/bin/sh", "-c", 'cd -- "$1"', "sh", folder]).returncode == 0


def _account(name: str) -> Account | None:
    try:
        entry = pwd.getpwnam(name)
    except KeyError:
        return None
    return Account(name, entry.pw_uid, entry.pw_gid) if entry.pw_uid != 0 else None
