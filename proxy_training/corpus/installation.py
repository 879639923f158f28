"""Finds the files of a Python installation: its standard library and its installed packages."""

import os
import platform
import stat
import sys
import sysconfig
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path, PurePosixPath

from proxy_training.corpus.errors import FolderError

PACKAGE_FOLDERS = ("site-packages", "dist-packages")
# Our own code changes with every release; a corpus should not.
OWN = frozenset({"mixlaws", "mixclient", "proxy_training", "service", "mixwright"})
_PRUNED = frozenset({"__pycache__", "node_modules", *PACKAGE_FOLDERS})


@dataclass(frozen=True, slots=True)
class InstalledFile:
    """A file below one of the roots; strings, since there are tens of thousands.

    Args:
        origin: path relative to the root, in POSIX form, below `stdlib` or `site`.
        path: where it is.
    """

    origin: str
    path: str

    def size(self) -> int | None:
        """Bytes; None when it is no regular file (a broken link, a pipe)."""
        try:
            status = Path(self.path).stat()
        except OSError:
            return None
        return status.st_size if stat.S_ISREG(status.st_mode) else None


def installation_roots() -> tuple[Path, ...]:
    """The standard library and every folder of installed packages of the running interpreter."""
    paths = sysconfig.get_paths()
    packages = [paths["purelib"], paths["platlib"]]
    packages += [entry for entry in sys.path if Path(entry).name in PACKAGE_FOLDERS]
    roots = [Path(folder).resolve() for folder in (paths["stdlib"], *packages)]
    return tuple(dict.fromkeys(root for root in roots if root.is_dir()))


def installed_files(roots: Sequence[Path], /) -> Iterator[InstalledFile]:
    """Walk the roots in a fixed order; of two files with one origin, the first root's counts, as in imports.

    Links to folders are not followed: they lead to what is walked anyway, to a checkout, or in circles.
    """
    found: set[str] = set()
    for root in roots:
        label = "site" if root.name in PACKAGE_FOLDERS else "stdlib"
        for folder, folders, names in os.walk(root, followlinks=False):
            here = Path(folder)
            below = (label / PurePosixPath(here.relative_to(root))).as_posix()
            folders[:] = sorted(name for name in folders if not _pruned(name, top=here == root))
            # Editable installs leave finders that hold the path of a checkout.
            for name in sorted(name for name in names if not name.startswith(("__editable__", "."))):
                origin = f"{below}/{name}"
                if origin not in found:
                    found.add(origin)
                    yield InstalledFile(origin, f"{folder}{os.sep}{name}")


def installation_fingerprint(roots: Sequence[Path], /) -> str:
    """Interpreter, roots, and name and version of every distribution: the folder names carry both.

    Raises:
        FolderError: a root cannot be read.
    """
    distributions: list[str] = []
    for root in roots:
        try:
            names = [entry.name for entry in os.scandir(root)]
        except OSError as error:
            raise FolderError(f"{root} cannot be read ({error.strerror}): give an existing folder") from error
        distributions += [name for name in names if name.endswith((".dist-info", ".egg-info"))]
    others = sorted(name for name in distributions if name.partition("-")[0] not in OWN)
    interpreter = f"{platform.python_implementation()} {platform.python_version()} {sys.platform}"
    return "\n".join([interpreter, *map(str, roots), *others])


def _pruned(name: str, *, top: bool) -> bool:
    if name in _PRUNED or name.startswith("."):
        return True
    return top and name.partition("-")[0] in OWN
