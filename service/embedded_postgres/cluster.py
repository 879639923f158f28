"""Creating the cluster, once: PostgreSQL's data, the password and the rules of access.

Everything is made in a folder with a temporary name, brought to the disk, and then renamed. A kill at any
moment leaves either no cluster or a whole one; what it left under a temporary name goes at the next start.
"""

import os
import secrets
import shutil
import tempfile
from pathlib import Path

from service.embedded_postgres.account import Account, run_as
from service.embedded_postgres.database import ROLE
from service.embedded_postgres.errors import InitialisationError, OtherVersionError
from service.embedded_postgres.home import Home, make_private_folder
from service.embedded_postgres.installation import MAJOR_VERSION, Installation

_UNFINISHED = ".cluster-"
# The socket is the only way in, and a password the only key: no other line, for no other way exists.
_ACCESS = "local all all scram-sha-256\n"
# Written to postgresql.conf, where the owner may change them; what safety rests on is set at every start.
_SETTINGS = {
    "max_connections": "100",
    "shared_buffers": "128MB",
    "fsync": "on",
    "synchronous_commit": "on",
    "timezone": "UTC",
    "log_timezone": "UTC",
    "log_checkpoints": "off",  # a line every five minutes, for nobody
}


def check_version(home: Home) -> None:
    """Refuse data of another major version, before anything is touched.

    Raises:
        OtherVersionError: the data folder names another version.
    """
    try:
        found = (home.data / "PG_VERSION").read_text(errors="replace").strip()
    except FileNotFoundError:
        return
    if found != str(MAJOR_VERSION):
        raise OtherVersionError(home.data, found=found, expected=MAJOR_VERSION)


def create_cluster(home: Home, installation: Installation) -> None:
    """Create the cluster with a random password; the caller holds the home's lock.

    Raises:
        InitialisationError: initdb failed; the message quotes it.
    """
    remove_unfinished(home)
    fresh = Path(tempfile.mkdtemp(prefix=_UNFINISHED, dir=home.folder))
    try:
        _fill(fresh, home.account, installation)
        fresh.rename(home.cluster)
    except BaseException:
        shutil.rmtree(fresh, ignore_errors=True)
        raise
    _sync(home.folder)


def remove_unfinished(home: Home) -> None:
    """Remove what starts that were killed have left."""
    for left in home.folder.glob(f"{_UNFINISHED}*"):
        shutil.rmtree(left, ignore_errors=True)  # a dying initdb may still write there: next time, then


def read_password(home: Home) -> str:
    """The password of the role `mixwright`."""
    return password_file(home.cluster).read_text(encoding="ascii").strip()


def password_file(cluster: Path) -> Path:
    """Where the password is."""
    return cluster / "password"


def access_file(cluster: Path) -> Path:
    """PostgreSQL's rules of access (pg_hba.conf)."""
    return cluster / "pg_hba.conf"


def _fill(fresh: Path, account: Account, installation: Installation) -> None:
    if not account.is_own:
        fresh.chmod(0o711)  # the account passes through to its data and sees nothing else
    data, password, access = fresh / "data", password_file(fresh), access_file(fresh)
    make_private_folder(data, account)
    _write(password, secrets.token_urlsafe(32) + "\n", mode=0o600)
    os.chown(password, account.uid, account.gid)  # initdb reads it
    _write(access, _ACCESS, mode=0o644)
    # initdb brings its own files to the disk, which costs 0.2 s once. Without that, or with the whole file
    # system's sync in its place, the start would gain little and wait for what others have written.
    arguments: list[str | Path] = [
        installation.initdb,
        "-D",
        data,
        f"--username={ROLE}",
        f"--pwfile={password}",
    ]
    arguments += ["--auth-local=scram-sha-256", "--auth-host=reject", "--data-checksums", "--encoding=UTF8"]
    arguments += ["--locale=C", "--locale-provider=builtin", "--builtin-locale=C.UTF-8", "--no-instructions"]
    arguments += [f"--set={name}={value}" for name, value in _SETTINGS.items()]
    answer = run_as(account, arguments)
    if answer.returncode != 0:
        said = "\n".join(answer.stdout.strip().splitlines()[-8:])
        raise InitialisationError(
            f"could not create the database in {fresh.parent}: initdb ended with status {answer.returncode} "
            f"and said\n{said}\n"
            f"Remove the cause (a full disk, a missing right) and start again; nothing half-made is left"
        )
    _sync(fresh)


def _write(path: Path, text: str, *, mode: int) -> None:
    descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, mode)
    with os.fdopen(descriptor, "w", encoding="ascii") as file:
        os.fchmod(descriptor, mode)
        file.write(text)
        file.flush()
        os.fsync(descriptor)


def _sync(folder: Path) -> None:
    """Bring the names in a folder to the disk."""
    descriptor = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
