"""A corpus opens only when it is whole, and tells what is in it."""

import json
import os
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

from mixlaws.errors import InvalidInputError, UnknownDomainError, WeightsError
from proxy_training.corpus import SPLITS, Corpus, CorruptCacheError, Manifest, Split


def documents(corpus: Corpus, domain: str, split: Split) -> list[str]:
    tokens = corpus.tokens(domain, split)
    ends = np.flatnonzero(tokens == corpus.tokeniser.end_of_document)
    assert ends[-1] == len(tokens) - 1
    return [corpus.tokeniser.decode(document) for document in np.split(tokens, ends + 1)[:-1]]


def test_training_text_is_whole_documents_and_held_out_text_the_beginnings_of_others(
    corpus: Corpus, folder: Path
) -> None:
    for domain in corpus.domains.names:
        remaining = {path.read_text(encoding="utf-8") for path in (folder / domain).rglob("*.*")}
        training = documents(corpus, domain, "train")
        assert set(training) <= remaining
        remaining -= set(training)
        for text in documents(corpus, domain, "validation") + documents(corpus, domain, "test"):
            (whole,) = (body for body in remaining if body.startswith(text))
            remaining.remove(whole)
        assert not remaining


def test_tokens_are_read_only(corpus: Corpus) -> None:
    with pytest.raises(ValueError, match="read-only"):
        corpus.tokens("letters", "train")[0] = 1


def test_counts_agree_with_the_shards(corpus: Corpus) -> None:
    assert corpus.domains.names == ("letters", "vowels")
    for record, count in zip(corpus.manifest.domains, corpus.domains.tokens, strict=True):
        assert count == len(corpus.tokens(record.name, "train")) == record.splits["train"].tokens
        for split in SPLITS:
            tokens = corpus.tokens(record.name, split)
            text = corpus.tokeniser.decode(tokens)
            assert corpus.bytes_per_token(record.name, split) == len(text.encode()) / len(tokens)
    assert corpus.vocabulary == corpus.tokeniser.vocabulary == 300
    with pytest.raises(UnknownDomainError, match="did you mean 'vowels'"):
        corpus.tokens("vowel", "train")


def test_unigrams_are_the_frequencies_of_the_mixture(corpus: Corpus) -> None:
    only = corpus.log_unigram(np.array([0.0, 1.0]))
    assert only.dtype == np.float32
    assert np.exp(only.astype(np.float64)).sum() == pytest.approx(1, abs=1e-4)
    tokens = corpus.tokens("vowels", "train")
    counts = np.bincount(tokens, minlength=corpus.vocabulary)
    assert np.exp(only) == pytest.approx(counts / len(tokens), abs=5e-3)
    assert np.isfinite(only).all()
    other = corpus.log_unigram(np.array([1.0, 0.0]))
    both = corpus.log_unigram(np.array([0.25, 0.75]))
    assert np.exp(both) == pytest.approx(0.25 * np.exp(other) + 0.75 * np.exp(only), rel=1e-4)


def test_weights_off_the_simplex_or_of_another_length_are_refused(corpus: Corpus) -> None:
    with pytest.raises(WeightsError):
        corpus.log_unigram(np.array([0.9, 0.9]))
    with pytest.raises(InvalidInputError, match=r"shape \(3,\): expected \(2,\)"):
        corpus.log_unigram(np.array([0.5, 0.25, 0.25]))


def test_a_corpus_opens_anywhere_with_the_same_id(corpus: Corpus, tmp_path: Path) -> None:
    moved = corpus.folder.rename(tmp_path / "moved")
    assert Corpus.open(moved, verify=True).id == corpus.id == corpus.manifest.id


def cut_shard(folder: Path) -> None:
    shard = folder / "0001.test.bin"
    os.truncate(shard, shard.stat().st_size - 2)


def change_tokeniser(folder: Path) -> None:
    path = folder / "tokeniser.json"
    path.write_text(path.read_text(encoding="utf-8").replace("true", "false"), encoding="utf-8")


def change_manifest(folder: Path, change: Callable[[dict[str, object]], object]) -> None:
    path = folder / "manifest.json"
    body = json.loads(path.read_text(encoding="utf-8"))
    change(body)
    path.write_text(json.dumps(body), encoding="utf-8")


@pytest.mark.parametrize(
    ("damage", "problem"),
    [
        (cut_shard, r"0001\.test\.bin has \d+ bytes for \d+ tokens"),
        (change_tokeniser, r"tokeniser\.json does not match its hash"),
        (lambda folder: (folder / "0000.train.bin").unlink(), r"0000\.train\.bin cannot be read"),
        (lambda folder: (folder / "manifest.json").unlink(), r"manifest\.json cannot be read"),
        (lambda folder: (folder / "manifest.json").write_text("{"), "Expecting property name"),
        (lambda folder: (folder / "manifest.json").write_text("[]"), "lacks"),
        (lambda folder: change_manifest(folder, lambda body: body.update(schema=0)), "schema 0, expected 1"),
        (lambda folder: change_manifest(folder, lambda body: body.pop("seed")), "lacks .*seed"),
        (lambda folder: change_manifest(folder, lambda body: body.update(extra=1)), "lacks .*extra"),
        (lambda folder: change_manifest(folder, lambda body: body.update(id="0")), "does not match its id"),
    ],
)
def test_a_damaged_corpus_is_refused_with_the_remedy(
    corpus: Corpus, damage: Callable[[Path], object], problem: str
) -> None:
    damage(corpus.folder)
    with pytest.raises(CorruptCacheError, match=rf"(?s){problem}.*; delete this folder"):
        Corpus.open(corpus.folder)


def test_a_changed_byte_is_found_when_hashes_are_verified(corpus: Corpus) -> None:
    shard = corpus.folder / "0000.validation.bin"
    raw = bytearray(shard.read_bytes())
    raw[10] ^= 1
    shard.write_bytes(raw)
    Corpus.open(corpus.folder)
    with pytest.raises(CorruptCacheError, match=r"0000\.validation\.bin does not match its hash"):
        Corpus.open(corpus.folder, verify=True)


def test_the_manifest_comes_back_from_its_file(corpus: Corpus) -> None:
    assert Manifest.from_json(corpus.manifest.to_json()) == corpus.manifest
