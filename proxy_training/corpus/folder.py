"""A user's own folder as a source: one sub-folder per domain, its files read recursively."""

import os
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from types import MappingProxyType

from mixlaws.domains import canonical_name
from mixlaws.errors import InvalidInputError
from proxy_training.corpus.documents import Document, Reading, Skipped
from proxy_training.corpus.errors import FolderError, UnknownFormatError
from proxy_training.corpus.readers import read_json_lines, read_parquet, read_plain

PLAIN = (".txt", ".md")
JSON_LINES = (".jsonl", ".jsonl.gz", ".jsonl.zst")
PARQUET = (".parquet",)
FORMATS = (*PLAIN, *JSON_LINES, *PARQUET)
NO_NEIGHBOURS: Mapping[str, str | None] = MappingProxyType({})


@dataclass(frozen=True)
class FolderSource:
    """Text in a folder.

    A plain text file is one document; a line of a `.jsonl` file and a row of a Parquet file are one each.
    Hidden files, and files beside the sub-folders (a README), are not read. Of more text than a corpus
    takes, files are read in seeded order, each from its beginning, until there is enough.

    Args:
        path: the folder; each of its sub-folders is a domain.
        text_field: field of a JSON line, or column of a Parquet file, that holds the text.
    """

    path: Path
    text_field: str = "text"

    # The domains are the user's decision: none is merged, and one too small to hold out is an error.
    minimum_tokens_per_megabyte = 0
    shortest_document = 1  # bytes
    neighbours = NO_NEIGHBOURS

    def fingerprint(self) -> str:
        """Field, and relative path, size and time of change of every file."""
        lines = [str(self.path.resolve()), self.text_field]
        for name, folder in self._domain_folders():
            for path, relative in _walk(folder, root=self.path):
                status = path.lstat()
                lines.append(f"{name}\t{relative}\t{status.st_size}\t{status.st_mtime_ns}")
        return "\n".join(lines)

    def files(self) -> Mapping[str, Sequence["FolderFile"]]:
        """List the files of every domain, sorted by the domain's name.

        Raises:
            FolderError: the folder or a domain holds nothing, or a link leads out of it.
            UnknownFormatError: no file of a domain is in a known format.
        """
        found = {name: self._domain_files(name, folder) for name, folder in self._domain_folders()}
        if not found:
            raise FolderError(
                f"{self.path} has no sub-folders: put the files of each domain into one of its own"
            )
        return found

    def _domain_files(self, name: str, folder: Path) -> list["FolderFile"]:
        files = [
            FolderFile(name, relative, path, self.text_field)
            for path, relative in _walk(folder, root=self.path)
        ]
        if not files:
            raise FolderError(f"{folder} is empty: give domain {name!r} files, or remove its folder")
        if all(file.format is None for file in files):
            raise UnknownFormatError(
                f"none of the {len(files)} files in {folder} can be read "
                f"(the first is {files[0].path.name!r}): use {', '.join(FORMATS)}"
            )
        return files

    def _domain_folders(self) -> list[tuple[str, Path]]:
        try:
            entries = sorted(self.path.iterdir())
        except OSError as error:
            raise FolderError(
                f"{self.path} cannot be read ({error.strerror}): give an existing folder"
            ) from error
        folders = [entry for entry in entries if entry.is_dir() and not entry.name.startswith(".")]
        links = [folder for folder in folders if folder.is_symlink()]
        if links:
            raise FolderError(f"{links[0]} is a link: the folder of a domain must be one of its own")
        try:
            named = [(canonical_name(folder.name), folder) for folder in folders]
        except InvalidInputError as error:
            raise FolderError(f"a sub-folder of {self.path} cannot name a domain: {error}") from error
        names = [name for name, _ in named]
        twice = [name for name in names if names.count(name) > 1]
        if twice:
            raise FolderError(f"two sub-folders of {self.path} read as {twice[0]!r}: rename one of them")
        return sorted(named)


@dataclass(frozen=True)
class FolderFile:
    """One file of a domain."""

    domain: str
    origin: str
    path: Path
    text_field: str

    @property
    def priority(self) -> int:
        """All files are alike."""
        return 0

    @property
    def format(self) -> str | None:
        """The ending by which the file is read; None when it is not a known one."""
        return next((ending for ending in FORMATS if self.path.name.lower().endswith(ending)), None)

    def read(self, *, document_bytes: int) -> Iterator[Reading]:
        """Read the documents of the file.

        Raises:
            BrokenFileError: the file does not hold what its ending promises.
        """
        if self.path.is_symlink():
            yield Skipped(self.domain, self.origin, "link within the folder, or to nothing")
        elif not self.path.is_file():  # opening a pipe would wait for ever
            yield Skipped(self.domain, self.origin, "no regular file")
        elif self.format is None:
            yield Skipped(self.domain, self.origin, f"unknown format {self.path.suffix or 'without ending'}")
        elif self.format in PLAIN:
            yield self._read_plain(document_bytes)
        elif self.format in JSON_LINES:
            for number, text in read_json_lines(self.path, field=self.text_field):
                yield Document(self.domain, f"{self.origin}:{number}", text)
        else:
            for number, text in read_parquet(self.path, column=self.text_field):
                yield Document(self.domain, f"{self.origin}:{number}", text)

    def _read_plain(self, document_bytes: int) -> Reading:
        try:
            text, unread = read_plain(self.path, limit=document_bytes)
        except UnicodeDecodeError:
            return Skipped(self.domain, self.origin, "not UTF-8")
        return Document(self.domain, self.origin, text, unread)


def _walk(folder: Path, *, root: Path) -> Iterator[tuple[Path, str]]:
    """Every file below a folder with its path relative to the root; links to folders are listed as files."""
    for parent, folders, names in os.walk(folder, onerror=_refuse_unreadable):
        links = [name for name in folders if Path(parent, name).is_symlink()]
        folders[:] = sorted(name for name in folders if not name.startswith("."))
        for name in sorted(names + links):
            path = Path(parent, name)
            if name.startswith("."):
                continue
            _refuse_escape(path, root)
            yield path, path.relative_to(root).as_posix()


def _refuse_unreadable(error: OSError) -> None:
    raise FolderError(
        f"{error.filename} cannot be read ({error.strerror}): permit it, or move it away"
    ) from error


def _refuse_escape(path: Path, root: Path) -> None:
    """Refuse a link that leads out of the folder: a corpus must not hold what nobody put there."""
    if not path.is_symlink():
        return
    try:
        inside = path.resolve().is_relative_to(root.resolve())
    except (OSError, RuntimeError):  # a circle of links: leads nowhere, so not outside
        return
    if not inside:
        raise FolderError(
            f"{path} is a link out of {root}: copy the file into the folder, or remove the link"
        )
