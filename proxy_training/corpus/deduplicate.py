"""Removal of documents that say again what an earlier document of the domain said.

Copies are found by a hash of the whole text. Near copies (a file vendored twice, a header generated
from the same template) share most of their long lines: a document is dropped when more than half of
its long lines occurred in documents that were kept.
"""

import hashlib
from typing import Literal

Verdict = Literal["new", "copy", "near copy"]

LONG_LINE = 25  # characters: shorter lines (`return None`, `}`) recur in unrelated files
# With fewer long lines, half of them may be a licence header: only an exact copy is sure then.
FEWEST_LINES = 4


class SeenText:
    """The documents of one domain that were kept so far."""

    def __init__(self) -> None:
        self._texts: set[bytes] = set()
        self._lines: set[bytes] = set()

    def judge(self, text: str, /) -> Verdict:
        """Say whether a text is new; a new one is remembered, so the same text asked twice is a copy."""
        digest = _digest(text)
        if digest in self._texts:
            return "copy"
        lines = {_digest(line) for raw in text.splitlines() if len(line := raw.strip()) >= LONG_LINE}
        if len(lines) >= FEWEST_LINES and 2 * len(lines & self._lines) > len(lines):
            return "near copy"
        self._texts.add(digest)
        self._lines |= lines
        return "new"


def _digest(text: str) -> bytes:
    # 16 bytes for exactness; a set of Python's own string hashes would differ between processes.
    return hashlib.blake2b(text.encode(), digest_size=16).digest()
