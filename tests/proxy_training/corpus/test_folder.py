"""A user's folder: one domain per sub-folder, every format, clear words for what is wrong."""

import json
import os
from collections.abc import Callable
from pathlib import Path

import pyarrow as pa
import pytest
from pyarrow import parquet

from proxy_training.corpus import FolderError, FolderSource, UnknownFormatError
from proxy_training.corpus.documents import Document, Reading, Skipped


def readings(source: FolderSource) -> dict[str, list[Reading]]:
    return {
        domain: [reading for file in files for reading in file.read(document_bytes=1000)]
        for domain, files in source.files().items()
    }


def test_every_format_of_every_depth_is_read_with_stable_origins(tmp_path: Path) -> None:
    (tmp_path / "web" / "deep").mkdir(parents=True)
    (tmp_path / "web" / "deep" / "a.TXT").write_text("first", encoding="utf-8")
    (tmp_path / "web" / "b.jsonl").write_text('{"body": "second"}\n\n{"body": "third"}\n', encoding="utf-8")
    (tmp_path / "code").mkdir()
    parquet.write_table(pa.table({"body": ["fourth"]}), tmp_path / "code" / "c.parquet")
    (tmp_path / "README.md").write_text("no domain", encoding="utf-8")
    (tmp_path / "web" / ".hidden.txt").write_text("hidden", encoding="utf-8")
    found = readings(FolderSource(tmp_path, text_field="body"))
    assert list(found) == ["code", "web"]
    assert found["code"] == [Document("code", "code/c.parquet:1", "fourth")]
    assert found["web"] == [
        Document("web", "web/b.jsonl:1", "second"),
        Document("web", "web/b.jsonl:3", "third"),
        Document("web", "web/deep/a.TXT", "first"),
    ]


def test_files_in_other_formats_are_counted_beside_readable_ones(tmp_path: Path) -> None:
    (tmp_path / "web").mkdir()
    (tmp_path / "web" / "a.txt").write_text("text", encoding="utf-8")
    (tmp_path / "web" / "b.pdf").write_bytes(b"%PDF")
    (tmp_path / "web" / "c.txt").write_bytes(b"\xff\xff")
    os.mkfifo(tmp_path / "web" / "d.txt")
    reasons = [
        reading.reason for reading in readings(FolderSource(tmp_path))["web"] if isinstance(reading, Skipped)
    ]
    assert reasons == ["unknown format .pdf", "not UTF-8", "no regular file"]


def test_a_domain_in_unknown_formats_alone_is_an_error_that_lists_the_known_ones(tmp_path: Path) -> None:
    (tmp_path / "papers").mkdir()
    (tmp_path / "papers" / "b.pdf").write_bytes(b"%PDF")
    with pytest.raises(UnknownFormatError, match=r"none of the 1 files in .*papers .*'b.pdf'.*\.jsonl\.zst"):
        FolderSource(tmp_path).files()


def test_missing_and_empty_folders_are_errors(tmp_path: Path) -> None:
    with pytest.raises(FolderError, match=r"nowhere cannot be read \(No such file or directory\)"):
        FolderSource(tmp_path / "nowhere").files()
    with pytest.raises(FolderError, match="has no sub-folders"):
        FolderSource(tmp_path).files()
    (tmp_path / "a.txt").write_text("text", encoding="utf-8")
    with pytest.raises(FolderError, match=r"cannot be read \(Not a directory\)"):
        FolderSource(tmp_path / "a.txt").files()
    (tmp_path / "web").mkdir()
    with pytest.raises(FolderError, match=r"web is empty: give domain 'web' files"):
        FolderSource(tmp_path).files()


@pytest.mark.parametrize("name", ["a\u202eb", "a\u200bb", "a\nb"])
def test_a_name_that_cannot_be_shown_safely_is_refused(tmp_path: Path, name: str) -> None:
    (tmp_path / name).mkdir()
    with pytest.raises(
        FolderError, match=r"cannot name a domain: the name .* invisible or control characters"
    ):
        FolderSource(tmp_path).files()


def test_two_folders_of_one_name_in_normal_form_are_refused(tmp_path: Path) -> None:
    for name in ("caf\u00e9", "cafe\u0301"):
        (tmp_path / name).mkdir()
    if len(list(tmp_path.iterdir())) == 1:
        pytest.skip("this file system holds names in normal form")
    with pytest.raises(FolderError, match="two sub-folders"):
        FolderSource(tmp_path).files()


@pytest.mark.parametrize("target", ["../../secret.txt", "../../outside", "/etc"])
def test_a_link_out_of_the_folder_is_refused(tmp_path: Path, target: str) -> None:
    (tmp_path / "secret.txt").write_text("secret", encoding="utf-8")
    (tmp_path / "outside").mkdir()
    (tmp_path / "root" / "web").mkdir(parents=True)
    (tmp_path / "root" / "web" / "link.txt").symlink_to(target)
    with pytest.raises(FolderError, match=r"link\.txt is a link out of"):
        FolderSource(tmp_path / "root").fingerprint()
    with pytest.raises(FolderError, match=r"link\.txt is a link out of"):
        FolderSource(tmp_path / "root").files()


def test_a_domain_that_is_a_link_is_refused(tmp_path: Path) -> None:
    (tmp_path / "web").mkdir()
    (tmp_path / "copy").symlink_to("web")
    with pytest.raises(FolderError, match="copy is a link"):
        FolderSource(tmp_path).files()


def test_links_within_the_folder_and_in_circles_are_counted_and_end(tmp_path: Path) -> None:
    (tmp_path / "web" / "sub").mkdir(parents=True)
    (tmp_path / "web" / "a.txt").write_text("text", encoding="utf-8")
    (tmp_path / "web" / "b.txt").symlink_to("a.txt")
    (tmp_path / "web" / "sub" / "up").symlink_to("..")
    (tmp_path / "web" / "loop.txt").symlink_to("loop.txt")
    (tmp_path / "web" / "gone.txt").symlink_to("nothing.txt")
    found = readings(FolderSource(tmp_path))["web"]
    assert [reading.origin for reading in found if isinstance(reading, Document)] == ["web/a.txt"]
    assert [reading.origin for reading in found if isinstance(reading, Skipped)] == [
        "web/b.txt",
        "web/gone.txt",
        "web/loop.txt",
        "web/sub/up",
    ]


def test_the_fingerprint_follows_names_sizes_and_times(folder: Path, text: Callable[..., str]) -> None:
    def fingerprint() -> str:
        return FolderSource(folder).fingerprint()

    seen = {fingerprint()}
    assert fingerprint() in seen
    changed = folder / "vowels" / "0.txt"
    changed.write_text(text(1, lines=3), encoding="utf-8")
    assert fingerprint() not in seen
    seen.add(fingerprint())
    os.utime(changed, (1, 1))
    assert fingerprint() not in seen
    seen.add(fingerprint())
    changed.rename(changed.with_name("renamed.txt"))
    assert fingerprint() not in seen
    assert FolderSource(folder, text_field="body").fingerprint() != fingerprint()


def test_lone_surrogates_and_nul_reach_the_reader_of_lines_intact(tmp_path: Path) -> None:
    (tmp_path / "web").mkdir()
    lines = [json.dumps({"text": text}) for text in ("\ud800", "a\0b")]
    (tmp_path / "web" / "a.jsonl").write_text("\n".join(lines), encoding="utf-8")
    texts = [
        reading.text for reading in readings(FolderSource(tmp_path))["web"] if isinstance(reading, Document)
    ]
    assert texts == ["\ud800", "a\0b"]
