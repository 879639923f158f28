"""What can go wrong with a corpus, named by what the caller should do about it.

CorpusError
├── CorpusOptionError      correct the option that the message names
├── FolderError            give a folder that exists, can be read and holds text of its own
├── UnknownFormatError     convert the files to a format that the message lists
├── BrokenFileError        repair or remove the file, at the line that the message names
├── DomainTooSmallError    give the domain more documents or more text
└── CorruptCacheError      delete the folder: the next build makes it anew
"""

from collections.abc import Mapping
from pathlib import Path


class CorpusError(Exception):
    """Root of every error that building or opening a corpus raises on purpose."""


class CorpusOptionError(CorpusError, ValueError):
    """An option of the build is out of its range."""


class FolderError(CorpusError):
    """A folder is missing, empty, unreadable, or leads outside itself."""


class UnknownFormatError(CorpusError):
    """None of a domain's files is in a format that can be read."""


class BrokenFileError(CorpusError):
    """A file does not hold what its name promises."""

    def __init__(self, path: Path, problem: str, *, line: int | None = None) -> None:
        where = f"{path}, line {line}" if line is not None else str(path)
        super().__init__(f"{where}: {problem}")
        self.path = path
        self.line = line


class DomainTooSmallError(CorpusError):
    """A domain has too little text to train on and to hold out, each in whole documents.

    Args:
        domain: its name.
        documents: usable documents it has.
        tokens: tokens in them.
        needed_documents: the fewest that can be held out.
        needed_tokens: the fewest that are worth it, in documents of similar length.
        skipped: documents that could not be used, per reason.
    """

    def __init__(
        self,
        domain: str,
        *,
        documents: int,
        tokens: int,
        needed_documents: int,
        needed_tokens: int,
        skipped: Mapping[str, int] | None = None,
    ) -> None:
        reasons = ", ".join(f"{reason}: {count}" for reason, count in (skipped or {}).items())
        super().__init__(
            f"domain {domain!r} has {documents} documents with {tokens} tokens"
            + (f" (documents not used: {reasons})" if reasons else "")
            + f"; it needs about {needed_documents} documents of similar length with {needed_tokens} tokens, "
            "so that whole documents can be held out for validation and test: add text, or cut long files "
            "into documents (.jsonl, one a line)"
        )
        self.domain = domain
        self.documents = documents
        self.tokens = tokens
        self.needed_documents = needed_documents
        self.needed_tokens = needed_tokens

    def with_skipped(self, skipped: Mapping[str, int], /) -> "DomainTooSmallError":
        """The same error, telling also which documents could not be used."""
        return DomainTooSmallError(
            self.domain,
            documents=self.documents,
            tokens=self.tokens,
            needed_documents=self.needed_documents,
            needed_tokens=self.needed_tokens,
            skipped=skipped,
        )


class CorruptCacheError(CorpusError):
    """A cached corpus does not match its manifest."""

    def __init__(self, folder: Path, problem: str) -> None:
        super().__init__(f"{folder}: {problem}; delete this folder, and the next build makes it anew")
        self.folder = folder
