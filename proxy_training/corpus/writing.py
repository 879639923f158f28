"""Writes tokeniser and shards into a folder, and makes the records of them that the manifest holds."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from pathlib import Path

import numpy as np

from proxy_training.corpus.collect import Collected
from proxy_training.corpus.corpus import TOKENISER_FILE, shard_path
from proxy_training.corpus.manifest import DomainRecord, SourceDomainRecord, SplitRecord
from proxy_training.corpus.overlap import overlaps
from proxy_training.corpus.shards import open_shard, sha256_of, write_shard
from proxy_training.corpus.splits import HELD_OUT, SPLITS, Division
from proxy_training.corpus.tokeniser import Tokeniser


def write_tokeniser(folder: Path, tokeniser: Tokeniser, /) -> str:
    """Write the tokeniser; return the SHA-256 of its file."""
    path = folder / TOKENISER_FILE
    path.write_text(tokeniser.to_json(), encoding="utf-8")
    return sha256_of(path)


def write_domain(
    folder: Path, index: int, name: str, division: Division, tokeniser: Tokeniser
) -> DomainRecord:
    """Write the shards of one domain and describe them, but for the overlap."""
    records = {}
    for split in SPLITS:
        tokens = np.concatenate([document.tokens for document in division.documents[split]])
        records[split] = SplitRecord(
            documents=len(division.documents[split]),
            tokens=len(tokens),
            text_bytes=int(tokeniser.byte_lengths[tokens].sum()),
            sha256=write_shard(shard_path(folder, index, split), tokens),
            overlap=None,
        )
    return DomainRecord(name, records, division.trimmed_tokens)


def with_overlaps(
    folder: Path, domains: Sequence[DomainRecord], tokeniser: Tokeniser, /
) -> tuple[DomainRecord, ...]:
    """Compare held-out text with the training text of all domains: a mixture trains on all of them."""
    held_out = [(index, split) for index in range(len(domains)) for split in HELD_OUT]
    shares = overlaps(
        [open_shard(shard_path(folder, index, split)) for index, split in held_out],
        (open_shard(shard_path(folder, index, "train")) for index in range(len(domains))),
        end_of_document=tokeniser.end_of_document,
    )
    known = dict(zip(held_out, shares, strict=True))
    return tuple(
        replace(
            domain,
            splits={
                split: replace(record, overlap=known.get((index, split)))
                for split, record in domain.splits.items()
            },
        )
        for index, domain in enumerate(domains)
    )


def source_records(
    collected: Mapping[str, Collected], fates: Mapping[str, str], /
) -> Iterator[SourceDomainRecord]:
    """Describe what the source gave and what became of it."""
    for name, domain in collected.items():
        yield SourceDomainRecord(
            name=name,
            fate=fates[name],
            files=domain.files,
            opened=domain.opened,
            read=domain.read,
            kept=len(domain.documents),
            skipped=domain.skipped,
            text_bytes=sum(len(document.text.encode()) for document in domain.documents),
            trimmed_bytes=domain.trimmed_bytes,
        )
