"""The local corpus of this very machine: enough domains, enough text, held-out text of its own."""

from pathlib import Path

import numpy as np
import pytest

from proxy_training.corpus import SPLITS, LocalSource, build_corpus


@pytest.mark.slow
def test_this_installation_gives_a_corpus_of_six_domains_or_more(tmp_path: Path) -> None:
    corpus = build_corpus(LocalSource(), cache=tmp_path, megabytes_per_domain=1.0)
    manifest = corpus.manifest
    assert len(corpus.domains) >= 6
    assert {"python", "docs", "cxx"} <= set(corpus.domains.names)
    assert corpus.vocabulary == 2048
    assert manifest.minimum_tokens == 100_000
    for record in manifest.domains:
        assert record.splits["train"].tokens >= 100_000
        for held in (record.splits["validation"], record.splits["test"]):
            assert held.tokens >= 20_000
            assert held.documents >= 4
            assert held.overlap is not None
            assert held.overlap < 0.4
        assert all(1.2 < record.splits[split].bytes_per_token < 4 for split in SPLITS)
    for origin in manifest.source_domains:
        assert origin.read == origin.kept + sum(origin.skipped.values())
        assert origin.fate == "kept" or origin.fate.startswith(("merged into ", "dropped: "))
    # The domains differ in kind: no two have nearly the same unigrams.
    unigrams = np.stack([np.exp(corpus.log_unigram(row)) for row in np.eye(len(corpus.domains))])
    distances = np.abs(unigrams[:, None] - unigrams[None]).sum(axis=-1) / 2
    assert distances[~np.eye(len(corpus.domains), dtype=bool)].min() > 0.1
