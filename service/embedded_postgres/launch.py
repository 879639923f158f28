"""Starting the server's first process, detached from the caller and its terminal.

The server inherits the locked file `server` and passes it on to all its processes, so that lock is free
only when none of them lives. This holds for sessions that outlive a killed server, and for servers that
this process cannot see: in another container, or on another machine that shares the folder. Two servers on
one data folder would destroy it.
"""

import os
from pathlib import Path

from service.embedded_postgres import server_log
from service.embedded_postgres.account import can_enter, run_as
from service.embedded_postgres.cluster import access_file, remove_unfinished
from service.embedded_postgres.database import PORT
from service.embedded_postgres.errors import FolderError
from service.embedded_postgres.file_lock import FileLock
from service.embedded_postgres.home import Home, make_private_folder
from service.embedded_postgres.installation import Installation
from service.embedded_postgres.postmaster import pid_file_path
from service.embedded_postgres.processes import Process
from service.embedded_postgres.socket_folder import remove_sockets

# The shell goes at once and leaves the server to the system, which fetches it when it ends: no zombie stays
# with a user that outlives it. Arguments pass as they are, so no character of a path means anything to it.
_DETACH = '"$@" >&2 & echo $!'


def launch(home: Home, sockets: Path, installation: Installation, *, lock: FileLock) -> Process | None:
    """Start the server on a data folder that no other server uses.

    Args:
        home: whose server.
        sockets: the folder for its socket.
        installation: the programs.
        lock: of the file `server`, held; the server keeps it.

    Returns:
        The server's first process, or None if it has ended already.

    Raises:
        FolderError: the account that runs the server cannot reach its data.
    """
    if not home.account.is_own and not can_enter(home.account, home.data):
        raise FolderError(
            home.data, f"the account {home.account.name!r} cannot get there any more, so let it pass"
        )
    make_private_folder(home.log, home.account)
    server_log.remove_old_logs(home)
    remove_unfinished(home)
    # No server lives, so these are of a dead one. The server itself would take the number of any living
    # process in them for that of another server, and refuse to start.
    pid_file_path(home).unlink(missing_ok=True)
    remove_sockets(sockets)
    first_words = os.open(home.start_log, os.O_WRONLY | os.O_CREAT | os.O_TRUNC | os.O_NOFOLLOW, 0o600)
    try:
        answer = run_as(
            home.account,
            ["/bin/sh", "-c", _DETACH, "sh", *_command(home, sockets, installation)],
            stderr=first_words,
            inherit=[lock.fileno()],
        )
    finally:
        os.close(first_words)
    pid = answer.stdout.strip()  # empty if the shell could not start the server
    return Process.numbered(int(pid)) if pid else None


def _command(home: Home, sockets: Path, installation: Installation) -> list[str | Path]:
    """The server's command line, by which it is also recognised.

    What safety rests on is set here, where neither postgresql.conf nor ALTER SYSTEM can change it.
    """
    settings = {
        "listen_addresses": "",
        "port": str(PORT),
        "unix_socket_directories": _quoted(sockets),
        "unix_socket_group": "",
        "unix_socket_permissions": "0700",
        "hba_file": str(access_file(home.cluster)),
        "cluster_name": home.label,
        "log_directory": str(home.log),
        **server_log.SETTINGS,
    }
    command: list[str | Path] = [installation.postgres, "-D", home.data]
    for name, value in settings.items():
        command += ["-c", f"{name}={value}"]
    return command


def _quoted(folder: Path) -> str:
    """A folder as an entry of a list of folders, whatever characters its name has."""
    escaped = str(folder).replace('"', '""')
    return f'"{escaped}"'
