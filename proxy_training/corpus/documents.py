"""What a source of text gives: files, and from each file documents or the reasons why there are none.

A *document* is what is never cut between two splits: a file, a line of a `.jsonl` file, a row of a
table, or one of the source files that a bundle was made of.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Protocol


@dataclass(frozen=True, slots=True)
class Document:
    """A piece of text that belongs together.

    Args:
        domain: the domain as the source calls it.
        origin: where it stands, relative to the source and stable between machines and runs.
        text: its text, or the beginning of it.
        unread_bytes: how much of the document was left unread after `text`.
    """

    domain: str
    origin: str
    text: str
    unread_bytes: int = 0


@dataclass(frozen=True, slots=True)
class Skipped:
    """A document that was found and cannot be used, and why: reasons are counted in the manifest."""

    domain: str
    origin: str
    reason: str


Reading = Document | Skipped


class TextFile(Protocol):
    """A file that a source found and has not read yet."""

    @property
    def origin(self) -> str:
        """Where the file stands, relative to the source."""

    @property
    def priority(self) -> int:
        """Files of a lower number are read first, while the domain has room."""

    def read(self, *, document_bytes: int) -> Iterator[Reading]:
        """Read the documents of the file in order.

        Args:
            document_bytes: how much of a document will be used at most: a reader may stop there.
        """


class Source(Protocol):
    """Where a corpus comes from."""

    @property
    def minimum_tokens_per_megabyte(self) -> int:
        """Training tokens a domain must have per megabyte of its cap, or else go to its neighbour."""

    @property
    def shortest_document(self) -> int:
        """Bytes below which a document is noise (an empty `__init__.py`)."""

    @property
    def neighbours(self) -> Mapping[str, str | None]:
        """Where a domain's text goes when the domain is too small; None drops it.

        A domain must come before its neighbour. One that is not named must be large enough.
        """

    def fingerprint(self) -> str:
        """Text that changes whenever the content may have changed, and is quick to make."""

    def files(self) -> Mapping[str, Sequence[TextFile]]:
        """List the files of every domain, in the order of the domains.

        Raises:
            FolderError: there is nothing to list.
        """
