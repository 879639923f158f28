"""A build gives the same corpus for the same source, once, whatever happens to it on the way."""

import gzip
import json
import os
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

import pyarrow as pa
import pytest
import zstandard
from pyarrow import parquet

from proxy_training.corpus import (
    SPLITS,
    BrokenFileError,
    Corpus,
    CorpusOptionError,
    DomainTooSmallError,
    FolderError,
    FolderSource,
    build_corpus,
    default_cache_folder,
)

# Builds in a process of its own; at the activity that begins with argv[3] it is killed.
BUILD = """
import os, signal, sys
from pathlib import Path
from proxy_training.corpus import FolderSource, build_corpus

def progress(activity, share):
    if sys.argv[3] and activity.startswith(sys.argv[3]):
        os.kill(os.getpid(), signal.SIGKILL)

source = FolderSource(Path(sys.argv[1]))
print(build_corpus(source, cache=Path(sys.argv[2]), vocabulary=300, progress=progress).id)
"""


def start_build(folder: Path, cache: Path, *, die_at: str = "") -> subprocess.Popen[str]:
    environment = {**os.environ, "PYTHONPATH": os.pathsep.join(filter(None, [os.getcwd(), *sys.path]))}  # noqa: PTH109
    command = [sys.executable, "-c", BUILD, str(folder), str(cache), die_at]
    return subprocess.Popen(command, stdout=subprocess.PIPE, text=True, env=environment)


def shards(corpus: Corpus) -> dict[str, bytes]:
    return {path.name: path.read_bytes() for path in corpus.folder.iterdir()}


def test_two_builds_are_equal_to_the_byte_and_another_seed_is_not(folder: Path, tmp_path: Path) -> None:
    source = FolderSource(folder)
    first, second = (build_corpus(source, cache=tmp_path / name, vocabulary=300) for name in ("one", "two"))
    assert shards(first) == shards(second)
    other = build_corpus(source, cache=tmp_path / "one", vocabulary=300, seed=1)
    assert other.id != first.id
    assert other.domains.names == first.domains.names


def test_a_second_call_reads_the_cache_and_a_changed_source_does_not(
    folder: Path, tmp_path: Path, text: Callable[..., str]
) -> None:
    told: list[str] = []

    def build() -> Corpus:
        told.clear()
        return build_corpus(
            FolderSource(folder),
            cache=tmp_path / "cache",
            vocabulary=300,
            progress=lambda what, _: told.append(what),
        )

    first = build()
    assert len(told) > 5
    assert build().id == first.id
    assert told == ["corpus ready"]
    (folder / "letters" / "new.txt").write_text(text(77), encoding="utf-8")
    assert build().id != first.id
    assert len(list((tmp_path / "cache").iterdir())) == 2


def test_options_have_caches_of_their_own(folder: Path, tmp_path: Path) -> None:
    cache = tmp_path / "cache"
    small = build_corpus(FolderSource(folder), cache=cache, vocabulary=300, megabytes_per_domain=0.12)
    large = build_corpus(FolderSource(folder), cache=cache, vocabulary=400, megabytes_per_domain=0.12)
    assert (small.vocabulary, large.vocabulary) == (300, 400)
    assert small.folder != large.folder


def test_progress_rises_from_nothing_to_everything(folder: Path, tmp_path: Path) -> None:
    shares: list[float] = []
    build_corpus(
        FolderSource(folder),
        cache=tmp_path / "cache",
        vocabulary=300,
        progress=lambda _, share: shares.append(share),
    )
    assert shares[0] == 0
    assert shares[-1] == 1
    assert shares == sorted(shares)


def test_no_document_is_lost_or_in_two_splits(folder: Path, tmp_path: Path, text: Callable[..., str]) -> None:
    (folder / "vowels" / "copy.txt").write_bytes((folder / "vowels" / "0.txt").read_bytes())
    near = (folder / "vowels" / "2.txt").read_text(encoding="utf-8") + text(5, lines=20)
    (folder / "vowels" / "near.txt").write_text(near, encoding="utf-8")
    (folder / "vowels" / "nul.txt").write_text("a\0b", encoding="utf-8")
    (folder / "vowels" / "latin.txt").write_bytes(b"caf\xe9")
    corpus = build_corpus(FolderSource(folder), cache=tmp_path / "cache", vocabulary=300)
    origin = corpus.manifest.source_domains[1]
    assert origin.name == "vowels"
    assert origin.files == origin.opened == origin.read == 34
    assert origin.skipped == {"copy": 1, "holds NUL characters": 1, "near copy": 1, "not UTF-8": 1}
    record = corpus.manifest.domains[1]
    assert sum(record.splits[split].documents for split in SPLITS) == origin.kept == 30
    documents = [
        document
        for split in SPLITS
        for document in corpus.tokeniser.decode(corpus.tokens("vowels", split)).split("\n")
    ]
    assert len(documents) == len(set(documents))
    assert record.splits["validation"].overlap == record.splits["test"].overlap == 0
    assert record.splits["train"].overlap is None


@pytest.mark.slow
def test_a_killed_build_leaves_a_cache_from_which_the_next_succeeds(folder: Path, tmp_path: Path) -> None:
    activities = ("reading vowels", "tokenising vowels", "writing vowels")
    processes = [start_build(folder, tmp_path / activity, die_at=activity) for activity in activities]
    for process, activity in zip(processes, activities, strict=True):
        process.communicate()
        assert process.returncode == -signal.SIGKILL
        (left,) = (tmp_path / activity).iterdir()
        assert left.name.startswith(".building-")
        corpus = build_corpus(FolderSource(folder), cache=tmp_path / activity, vocabulary=300)
        assert Corpus.open(corpus.folder, verify=True).id == corpus.id


def test_what_a_killed_build_left_is_removed_after_a_day(folder: Path, tmp_path: Path) -> None:
    old, young = (tmp_path / "cache" / f".building-{name}" for name in ("old", "young"))
    for left in (old, young):
        left.mkdir(parents=True)
        (left / "0000.train.bin").write_bytes(b"half")
    os.utime(old, (time.time() - 2 * 24 * 3600,) * 2)
    build_corpus(FolderSource(folder), cache=tmp_path / "cache", vocabulary=300)
    assert not old.exists()
    assert young.exists()


def test_two_builds_at_once_give_one_corpus(folder: Path, tmp_path: Path) -> None:
    cache = tmp_path / "cache"
    processes = [start_build(folder, cache) for _ in range(2)]
    ids = {process.communicate()[0].strip() for process in processes}
    assert [process.returncode for process in processes] == [0, 0]
    (built,) = cache.iterdir()
    assert ids == {Corpus.open(built, verify=True).id}


def test_a_build_that_finishes_second_takes_what_the_first_made(folder: Path, tmp_path: Path) -> None:
    cache = tmp_path / "cache"
    source = FolderSource(folder)
    inner: list[Corpus] = []

    def overtake(activity: str, _: float) -> None:
        if activity == "writing vowels" and not inner:
            inner.append(build_corpus(source, cache=cache, vocabulary=300))

    outer = build_corpus(source, cache=cache, vocabulary=300, progress=overtake)
    assert outer.folder == inner[0].folder
    assert [path.name for path in cache.iterdir()] == [outer.folder.name]


def test_a_damaged_cache_is_built_again(folder: Path, tmp_path: Path) -> None:
    source, cache = FolderSource(folder), tmp_path / "cache"
    corpus = build_corpus(source, cache=cache, vocabulary=300)
    (corpus.folder / "0000.train.bin").write_bytes(b"")
    again = build_corpus(source, cache=cache, vocabulary=300)
    assert again.id == Corpus.open(again.folder, verify=True).id == corpus.id
    assert len(list(cache.iterdir())) == 1


def test_a_failed_build_leaves_nothing(folder: Path, tmp_path: Path) -> None:
    (folder / "letters" / "broken.jsonl").write_text('{"text": "a"}\n{\n', encoding="utf-8")
    with pytest.raises(BrokenFileError, match=r"broken\.jsonl, line 2: is not JSON"):
        build_corpus(FolderSource(folder), cache=tmp_path / "cache", vocabulary=300)
    assert not list((tmp_path / "cache").iterdir())


def test_a_folder_with_one_tiny_file_says_what_is_missing(tmp_path: Path) -> None:
    (tmp_path / "texts" / "poems").mkdir(parents=True)
    (tmp_path / "texts" / "poems" / "a.txt").write_text("a rose", encoding="utf-8")
    (tmp_path / "texts" / "poems" / "b.txt").write_bytes(b"\xff")
    with pytest.raises(
        DomainTooSmallError, match=r"'poems' has 1 documents .*not used: not UTF-8: 1.*add text"
    ):
        build_corpus(FolderSource(tmp_path / "texts"), cache=tmp_path / "cache")


def test_a_missing_folder_is_an_error_before_anything_is_made(tmp_path: Path) -> None:
    with pytest.raises(FolderError):
        build_corpus(FolderSource(tmp_path / "nowhere"), cache=tmp_path / "cache")
    assert not (tmp_path / "cache").exists()


def test_a_cache_that_cannot_be_written_is_an_error(folder: Path, tmp_path: Path) -> None:
    (tmp_path / "file").write_text("no folder", encoding="utf-8")
    with pytest.raises(FolderError, match=r"cannot be written .*: name another folder"):
        build_corpus(FolderSource(folder), cache=tmp_path / "file" / "cache", vocabulary=300)


def test_held_out_text_that_is_training_text_of_another_domain_is_seen(folder: Path, tmp_path: Path) -> None:
    shutil.copytree(folder / "vowels", folder / "again")
    corpus = build_corpus(FolderSource(folder), cache=tmp_path / "cache", vocabulary=300)
    again, letters, vowels = (domain.splits["validation"].overlap for domain in corpus.manifest.domains)
    assert letters == 0
    assert again is not None
    assert vowels is not None
    assert min(again, vowels) > 0.3


@pytest.mark.parametrize(
    "options", [{"vocabulary": 10}, {"megabytes_per_domain": 0}, {"megabytes_per_domain": float("nan")}]
)
def test_options_out_of_range_are_refused(folder: Path, tmp_path: Path, options: dict[str, float]) -> None:
    with pytest.raises(CorpusOptionError):
        build_corpus(FolderSource(folder), cache=tmp_path / "cache", **options)  # type: ignore[arg-type]


def test_a_giant_document_does_not_become_the_domain(
    folder: Path, tmp_path: Path, text: Callable[..., str]
) -> None:
    (folder / "letters" / "giant.txt").write_text(text(99, lines=6000), encoding="utf-8")
    corpus = build_corpus(
        FolderSource(folder), cache=tmp_path / "cache", vocabulary=300, megabytes_per_domain=0.2
    )
    letters = corpus.manifest.source_domains[0]
    assert letters.trimmed_bytes > 200_000
    assert letters.text_bytes < 220_000
    held = corpus.manifest.domains[0].splits
    assert min(held["validation"].documents, held["test"].documents) >= 4


@pytest.mark.parametrize("ending", [".jsonl", ".jsonl.gz", ".jsonl.zst", ".parquet"])
def test_of_a_file_larger_than_the_cap_only_the_beginning_is_read(
    tmp_path: Path, text: Callable[..., str], ending: str
) -> None:
    texts = [text(number, lines=20) for number in range(400)]
    path = tmp_path / "texts" / "letters" / f"all{ending}"
    path.parent.mkdir(parents=True)
    raw = "\n".join(json.dumps({"text": body}) for body in texts).encode()
    if ending == ".parquet":
        parquet.write_table(pa.table({"text": texts}), path)
    else:
        compress = {".gz": gzip.compress, ".zst": zstandard.ZstdCompressor().compress}
        path.write_bytes(compress[path.suffix](raw) if path.suffix in compress else raw)
    corpus = build_corpus(
        FolderSource(tmp_path / "texts"), cache=tmp_path / "cache", vocabulary=300, megabytes_per_domain=0.2
    )
    (letters,) = corpus.manifest.source_domains
    assert letters.kept == letters.read < 400
    assert 200_000 <= letters.text_bytes < 202_000
    found = corpus.tokeniser.decode(corpus.tokens("letters", "train"))
    assert texts[letters.kept] not in found
    assert any(body in found for body in texts[: letters.kept])


def test_the_default_cache_is_the_users() -> None:
    assert "mixwright" in default_cache_folder().parts
