"""Builds a corpus: collect, train a tokeniser, tokenise, settle the domains, write shards and manifest."""

import math
from collections.abc import Callable, Iterator, Mapping
from dataclasses import asdict, dataclass
from pathlib import Path

from proxy_training.corpus.cache import cache_key, open_cached, publish, temporary_sibling
from proxy_training.corpus.collect import Collected, collect
from proxy_training.corpus.corpus import MANIFEST_FILE, Corpus
from proxy_training.corpus.documents import Source
from proxy_training.corpus.errors import CorpusOptionError, DomainTooSmallError, FolderError
from proxy_training.corpus.manifest import Manifest
from proxy_training.corpus.merging import settle
from proxy_training.corpus.splits import Candidate
from proxy_training.corpus.tokeniser import check_vocabulary
from proxy_training.corpus.tokenising import tokenise, train_tokeniser
from proxy_training.corpus.writing import source_records, with_overlaps, write_domain, write_tokeniser

# What is being done, and the share of the whole that is done.
Progress = Callable[[str, float], None]

DOCUMENT_SHARE = 1 / 20  # of a domain's cap: no single document may be more of the domain
# Shares of the time of a build after which all is collected, tokenised and written, as measured.
_COLLECTED, _TOKENISED, _WRITTEN = 0.3, 0.9, 0.95


@dataclass(frozen=True)
class _Options:
    vocabulary: int
    megabytes_per_domain: float
    seed: int

    def __post_init__(self) -> None:
        check_vocabulary(self.vocabulary)
        if not (math.isfinite(self.megabytes_per_domain) and self.megabytes_per_domain > 0):
            raise CorpusOptionError(
                f"megabytes_per_domain is {self.megabytes_per_domain}: it must be positive"
            )


def build_corpus(
    source: Source,
    /,
    *,
    cache: Path,
    vocabulary: int = 2048,
    megabytes_per_domain: float = 5.0,
    seed: int = 0,
    progress: Progress | None = None,
) -> Corpus:
    """Build a corpus, or open the one that was built before from the same source with the same options.

    Args:
        source: where the text comes from.
        cache: folder that keeps built corpora; made when it does not exist.
        vocabulary: number of tokens wanted.
        megabytes_per_domain: how much text of each domain is sampled, after removal of copies.
        seed: of sampling and splitting.
        progress: told what is being done and the share of the whole that is done.

    Raises:
        CorpusOptionError: an option is out of its range.
        FolderError: the source holds nothing that can be used.
        UnknownFormatError: no file of a domain is in a known format.
        BrokenFileError: a file does not hold what its name promises.
        DomainTooSmallError: a domain cannot be held out by whole documents.
    """
    options = _Options(vocabulary, float(megabytes_per_domain), seed)
    report = progress or _silent
    folder = cache / cache_key(source.fingerprint(), asdict(options))
    corpus = open_cached(folder)
    if corpus is None:
        with temporary_sibling(folder) as sibling:
            _build(sibling, source, options, report)
            publish(sibling, folder)
        corpus = Corpus.open(folder)
    report("corpus ready", 1.0)
    return corpus


def _build(folder: Path, source: Source, options: _Options, report: Progress) -> None:
    collected = _collect(source, options, report)
    texts = {name: domain.documents for name, domain in collected.items()}
    report("training the tokeniser", _COLLECTED)
    tokeniser = train_tokeniser(texts, vocabulary=options.vocabulary, seed=options.seed)
    candidates: dict[str, list[Candidate]] = {}
    for name, start in _spread(texts, _COLLECTED, _TOKENISED):
        report(f"tokenising {name}", start)
        candidates[name] = tokenise(texts[name], tokeniser, seed=options.seed)
    minimum = round(source.minimum_tokens_per_megabyte * options.megabytes_per_domain)
    try:
        settlement = settle(candidates, neighbours=source.neighbours, minimum_tokens=minimum)
    except DomainTooSmallError as error:
        raise error.with_skipped(collected[error.domain].skipped) from None
    if not settlement.divisions:
        raise FolderError(f"no domain has enough text: {settlement.fates}; give the source more")
    domains = []
    for index, (name, start) in enumerate(_spread(settlement.divisions, _TOKENISED, _WRITTEN)):
        report(f"writing {name}", start)
        domains.append(write_domain(folder, index, name, settlement.divisions[name], tokeniser))
    report("comparing held-out text with training text", _WRITTEN)
    manifest = Manifest(
        seed=options.seed,
        vocabulary=tokeniser.vocabulary,
        megabytes_per_domain=options.megabytes_per_domain,
        minimum_tokens=minimum,
        tokeniser_sha256=write_tokeniser(folder, tokeniser),
        domains=with_overlaps(folder, domains, tokeniser),
        source_domains=tuple(source_records(collected, settlement.fates)),
    )
    (folder / MANIFEST_FILE).write_text(manifest.to_json(), encoding="utf-8")


def _collect(source: Source, options: _Options, report: Progress) -> dict[str, Collected]:
    report("listing files", 0.0)
    files = source.files()
    domain_bytes = round(options.megabytes_per_domain * 1e6)
    collected = {}
    for name, start in _spread(files, 0.0, _COLLECTED):
        report(f"reading {name}", start)
        collected[name] = collect(
            files[name],
            seed=options.seed,
            domain_bytes=domain_bytes,
            document_bytes=max(1, round(domain_bytes * DOCUMENT_SHARE)),
            shortest_document=source.shortest_document,
        )
    return collected


def _spread(domains: Mapping[str, object], start: float, end: float) -> Iterator[tuple[str, float]]:
    """Each domain with the share of the whole that is done before it."""
    for number, name in enumerate(domains):
        yield name, start + (end - start) * number / len(domains)


def _silent(activity: str, share: float, /) -> None:
    """Tell nobody."""
