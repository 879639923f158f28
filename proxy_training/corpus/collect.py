"""Reads a domain's files in seeded order until the domain is full, and accounts for every document."""

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from proxy_training.corpus.deduplicate import SeenText
from proxy_training.corpus.documents import Document, TextFile
from proxy_training.corpus.ranks import rank


@dataclass(frozen=True)
class Collected:
    """The documents of one domain, and what became of the others.

    Args:
        documents: those kept, each at most the given number of bytes long.
        files: files that the source listed.
        opened: files that were read before the domain was full.
        read: documents seen in the opened files; equals those kept plus all that were skipped.
        skipped: number of documents per reason.
        trimmed_bytes: text beyond the length limit of a document.
    """

    documents: tuple[Document, ...]
    files: int
    opened: int
    read: int
    skipped: Mapping[str, int]
    trimmed_bytes: int


def collect(
    files: Sequence[TextFile], *, seed: int, domain_bytes: int, document_bytes: int, shortest_document: int
) -> Collected:
    """Sample documents of one domain.

    Args:
        files: the domain's files, in any order.
        seed: of the order in which they are read.
        domain_bytes: enough text; the last document may go beyond by `document_bytes`.
        document_bytes: the longest part of a document that is used, so that no single file is a domain.
        shortest_document: bytes below which a document is skipped.
    """
    order = sorted(
        files, key=lambda file: (file.priority, rank(file.origin, seed=seed, purpose="sample"), file.origin)
    )
    seen = SeenText()
    kept: list[Document] = []
    skipped: Counter[str] = Counter()
    room = domain_bytes
    opened = read = trimmed = 0
    for file in order:
        if room <= 0:
            break
        opened += 1
        for reading in file.read(document_bytes=document_bytes):
            read += 1
            if not isinstance(reading, Document):
                skipped[reading.reason] += 1
                continue
            reason = _unusable(reading.text, shortest_document)
            if reason:
                skipped[reason] += 1
                continue
            text, cut = _trim(reading.text, document_bytes)
            verdict = seen.judge(text)
            if verdict != "new":
                skipped[verdict] += 1
                continue
            kept.append(Document(reading.domain, reading.origin, text))
            trimmed += cut + reading.unread_bytes
            room -= len(text.encode())
            if room <= 0:
                break
    return Collected(tuple(kept), len(order), opened, read, dict(sorted(skipped.items())), trimmed)


def _trim(text: str, limit: int) -> tuple[str, int]:
    """Cut a text to a number of bytes, at a character; return what is left and the bytes cut off."""
    raw = text.encode()
    if len(raw) <= limit:
        return text, 0
    kept = raw[:limit].decode(errors="ignore")
    return kept, len(raw) - len(kept.encode())


def _unusable(text: str, shortest: int) -> str | None:
    """Why a text cannot be a document at all."""
    if "\0" in text:
        return "holds NUL characters"
    try:
        size = len(text.encode())
    except UnicodeEncodeError:
        return "holds lone surrogates"
    if not text.strip():
        return "empty"
    return f"shorter than {shortest} bytes" if size < shortest else None
