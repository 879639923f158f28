"""The manifest of a corpus: what is in it, where it came from, and what was left out, in counts.

It is written as JSON beside the shards. Nothing in it depends on the time or the machine, so two
builds of one source are equal to the byte.
"""

import hashlib
import json
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from typing import Any

from proxy_training.corpus.splits import SPLITS, Split

SCHEMA = 1


@dataclass(frozen=True)
class SplitRecord:
    """One split of a domain.

    Args:
        documents: number of documents.
        tokens: number of tokens, ends of documents included.
        text_bytes: bytes of text that the tokens stand for.
        sha256: of the shard.
        overlap: share of the 16-token windows that occur in any domain's training text; None for training.
    """

    documents: int
    tokens: int
    text_bytes: int
    sha256: str
    overlap: float | None

    @property
    def bytes_per_token(self) -> float:
        """Bytes of text per token."""
        return self.text_bytes / self.tokens


@dataclass(frozen=True)
class DomainRecord:
    """One domain of the corpus.

    Args:
        name: the domain.
        splits: the three splits.
        trimmed_tokens: the rest of long held-out documents, used nowhere.
    """

    name: str
    splits: Mapping[Split, SplitRecord]
    trimmed_tokens: int


@dataclass(frozen=True)
class SourceDomainRecord:
    """What a source gave for one of its own domains.

    Args:
        name: the domain as the source calls it.
        fate: `kept`, or where its text went and why.
        files: files that the source listed.
        opened: files that were read before the domain was full.
        read: documents in them.
        kept: documents that were used.
        skipped: documents that were not, per reason.
        text_bytes: text of the documents that were used.
        trimmed_bytes: text of theirs beyond the longest part of one document that is used.
    """

    name: str
    fate: str
    files: int
    opened: int
    read: int
    kept: int
    skipped: Mapping[str, int]
    text_bytes: int
    trimmed_bytes: int


@dataclass(frozen=True)
class Manifest:
    """Everything that is known of a corpus without opening its shards.

    Args:
        seed: of sampling and splitting.
        vocabulary: number of tokens.
        megabytes_per_domain: cap on the text of a domain.
        minimum_tokens: training tokens below which a domain was merged or dropped.
        tokeniser_sha256: of the tokeniser's file.
        domains: the domains of the corpus, in the order of axis d.
        source_domains: the domains of the source, with what became of them.
    """

    seed: int
    vocabulary: int
    megabytes_per_domain: float
    minimum_tokens: int
    tokeniser_sha256: str
    domains: tuple[DomainRecord, ...]
    source_domains: tuple[SourceDomainRecord, ...]

    @property
    def id(self) -> str:
        """SHA-256 over the tokeniser's hash and the names and hashes of all shards."""
        digest = hashlib.sha256(self.tokeniser_sha256.encode())
        for domain in self.domains:
            for split in SPLITS:
                digest.update(f"\n{domain.name}\t{split}\t{domain.splits[split].sha256}".encode())
        return digest.hexdigest()

    def to_json(self) -> str:
        """Write the manifest as JSON."""
        return (
            json.dumps({"schema": SCHEMA, "id": self.id, **asdict(self)}, indent=1, ensure_ascii=False) + "\n"
        )

    @classmethod
    def from_json(cls, text: str, /) -> "Manifest":
        """Read what `to_json` wrote.

        Raises:
            ValueError: the text is no manifest of this schema, or does not match its own id.
        """
        try:
            body: dict[str, Any] = json.loads(text)
            schema, written = body.pop("schema"), body.pop("id")
            if schema != SCHEMA:
                raise ValueError(f"its manifest has schema {schema}, expected {SCHEMA}")
            domains = tuple(_domain(record) for record in body.pop("domains"))
            source_domains = tuple(SourceDomainRecord(**record) for record in body.pop("source_domains"))
            manifest = cls(**body, domains=domains, source_domains=source_domains)
        except (KeyError, TypeError, AttributeError) as error:
            raise ValueError(f"its manifest lacks {error}") from error
        if manifest.id != written:
            raise ValueError("its manifest does not match its id")
        return manifest


def _domain(record: dict[str, Any]) -> DomainRecord:
    splits = {split: SplitRecord(**record["splits"][split]) for split in SPLITS}
    return DomainRecord(record["name"], splits, record["trimmed_tokens"])
