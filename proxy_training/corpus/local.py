"""The local corpus: text that every Python installation with our dependencies holds, without a download.

Its domains differ in kind: library code, test code, C and C++, English prose, type stubs, Cython,
web code, configuration, tables of numbers, licences. Which of them are large enough depends on what
is installed; a small one goes to its declared neighbour, and the manifest says so.
"""

import gzip
import zlib
from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from collections.abc import Set as AbstractSet
from dataclasses import dataclass
from pathlib import Path
from types import MappingProxyType

from proxy_training.corpus.documents import Document, Reading, Skipped
from proxy_training.corpus.errors import FolderError
from proxy_training.corpus.installation import (
    InstalledFile,
    installation_fingerprint,
    installation_roots,
    installed_files,
)
from proxy_training.corpus.roles import Role, roles

# In the order of axis d.
DOMAINS = ("python", "tests", "cxx", "docs", "stubs", "cython", "web", "config", "tables", "licences")
# Where the text of a domain goes that is too small: a domain before its neighbour, None drops it.
NEIGHBOURS: Mapping[str, str | None] = MappingProxyType(
    {
        "licences": "docs",
        "config": "tables",
        "tests": "python",
        "stubs": "python",
        "cython": "python",
        "cxx": None,
        "web": None,
        "tables": None,
        "docs": None,
    }
)

LARGEST_FILE = 2_000_000  # bytes: beyond it text is generated, and costs more to read than it gives
# A script this large was written by a bundler; beyond the second number it is data in the form of a script.
BUNDLE_BYTES = 250_000
LARGEST_BUNDLE = 8_000_000


@dataclass(frozen=True)
class LocalSource:
    """The text of this Python installation.

    Args:
        roots: folders to read instead of the running interpreter's.
    """

    roots: tuple[Path, ...] | None = None

    # At 5 MB a domain: half a million, enough for the proxy runs of a demo without repetition.
    minimum_tokens_per_megabyte = 100_000
    shortest_document = 200  # bytes: below it are empty packages and one-line redirections
    neighbours = NEIGHBOURS

    def fingerprint(self) -> str:
        """Interpreter and installed distributions with their versions.

        Raises:
            FolderError: a root cannot be read.
        """
        return installation_fingerprint(self._roots)

    def files(self) -> Mapping[str, Sequence["LocalFile"]]:
        """List the files of every domain.

        Raises:
            FolderError: no root holds any text.
        """
        files = list(installed_files(self._roots))
        second = _second_bundles(files)
        found: dict[str, list[LocalFile]] = defaultdict(list)
        for file in files:
            for role in roles(file.origin):
                found[role.domain].append(LocalFile(file, role, second_bundle=file.origin in second))
        if not found:
            shown = ", ".join(map(str, self._roots))
            raise FolderError(f"no text in {shown}: give folders that hold Python packages")
        return {domain: found[domain] for domain in DOMAINS if domain in found}

    @property
    def _roots(self) -> tuple[Path, ...]:
        return installation_roots() if self.roots is None else self.roots


@dataclass(frozen=True)
class LocalFile:
    """A file of the installation in one of its roles.

    Args:
        file: the file.
        role: what it is read for.
        second_bundle: whether another bundle of its package is read in its stead.
    """

    file: InstalledFile
    role: Role
    second_bundle: bool = False

    @property
    def origin(self) -> str:
        """Where the file stands below the roots."""
        return self.file.origin

    @property
    def priority(self) -> int:
        """Prose comes before the docstrings of code."""
        return self.role.priority

    def read(self, *, document_bytes: int) -> Iterator[Reading]:  # noqa: ARG002 - read whole, being small
        """Read the documents of the file."""
        domain, path = self.role.domain, Path(self.file.path)
        refusal = self._refusal()
        if refusal:
            yield Skipped(domain, self.origin, refusal)
            return
        try:
            raw = path.read_bytes()
            text = (gzip.decompress(raw) if path.suffix == ".gz" else raw).decode("utf-8-sig")
        except UnicodeDecodeError:
            yield Skipped(domain, self.origin, "not UTF-8")
        except (OSError, EOFError, zlib.error):
            yield Skipped(domain, self.origin, "unreadable")
        else:
            for part, body in self.role.extract(text):
                yield Document(domain, self.origin + part, body)

    def _refusal(self) -> str | None:
        """Why the file is not even opened."""
        size = self.file.size()
        if size is None:
            return "no regular file"
        if size > (LARGEST_BUNDLE if self.file.origin.endswith(".js") else LARGEST_FILE):
            return "too large to be written by hand"
        return "another bundle of the package" if self.second_bundle else None


def _second_bundles(files: Iterable[InstalledFile], /) -> AbstractSet[str]:
    """All but the smallest bundle of each package.

    The bundles of one package hold the same program for different hosts, minified under different
    names: comparing text does not show it, and held-out text would stand in training text.
    The smallest is the program without a host's wrapping.
    """
    bundles: dict[tuple[str, ...], list[tuple[int, str]]] = defaultdict(list)
    for file in files:
        size = (file.size() or 0) if file.origin.endswith(".js") else 0
        if BUNDLE_BYTES < size <= LARGEST_BUNDLE:
            bundles[tuple(file.origin.split("/")[:2])].append((size, file.origin))
    return {origin for found in bundles.values() for _, origin in sorted(found)[1:]}
