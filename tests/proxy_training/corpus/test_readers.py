"""Every format gives back the texts that were written; a damaged file is named with its line."""

import gzip
import json
from collections.abc import Iterable
from pathlib import Path

import pyarrow as pa
import pytest
import zstandard
from hypothesis import given
from hypothesis import strategies as st
from pyarrow import parquet

from proxy_training.corpus.errors import BrokenFileError
from proxy_training.corpus.readers import read_json_lines, read_parquet, read_plain

TEXTS = ["plain", "two\nlines\r\n", "ünïcödé 漢字 🙂", "", '"quoted" \\ and \t tab', "x" * 70_000]


def json_lines(texts: Iterable[str], field: str = "text") -> bytes:
    return "".join(json.dumps({"id": 1, field: text}) + "\n" for text in texts).encode()


def compress(raw: bytes, ending: str) -> bytes:
    if ending == ".gz":
        return gzip.compress(raw)
    return zstandard.ZstdCompressor().compress(raw) if ending == ".zst" else raw


@pytest.mark.parametrize("ending", ["", ".gz", ".zst"])
def test_json_lines_come_back_with_their_numbers(tmp_path: Path, ending: str) -> None:
    path = tmp_path / f"a.jsonl{ending}"
    path.write_bytes(compress(b"\n" + json_lines(TEXTS), ending))
    assert list(read_json_lines(path, field="text")) == list(enumerate(TEXTS, start=2))


@pytest.mark.parametrize("ending", [".gz", ".zst"])
def test_a_file_of_several_compressed_parts_is_read_to_its_end(tmp_path: Path, ending: str) -> None:
    path = tmp_path / f"a.jsonl{ending}"
    path.write_bytes(compress(json_lines(["one"]), ending) + compress(json_lines(["two"]), ending))
    assert [text for _, text in read_json_lines(path, field="text")] == ["one", "two"]


@pytest.mark.parametrize("ending", [".gz", ".zst"])
def test_a_cut_or_false_compressed_file_is_an_error_and_not_its_end(tmp_path: Path, ending: str) -> None:
    path = tmp_path / f"a.jsonl{ending}"
    raw = compress(json_lines(str(number) for number in range(50_000)), ending)
    for broken in (raw[: len(raw) // 2], b"no compression at all"):
        path.write_bytes(broken)
        problem = r"a\.jsonl\.\w+, line \d+: the file cannot be read further"
        with pytest.raises(BrokenFileError, match=problem):
            list(read_json_lines(path, field="text"))
    path.write_bytes(raw[:50] + b"\xff\x00\xff" + raw[53:])
    with pytest.raises(BrokenFileError, match=r"a\.jsonl\.\w+, line \d+"):
        list(read_json_lines(path, field="text"))


@pytest.mark.parametrize(
    ("line", "problem"),
    [
        (b'{"text": "a"', "is not JSON"),
        (b"\xff\xfe", "is not JSON"),
        (b"[" * 100_000, "is not JSON"),
        (b'["a"]', "holds a list: every line must be a JSON object"),
        (b'{"body": "a"}', r"has no field 'text': .* \(found: 'body'\)"),
        (b'{"text": 3}', "'text' holds a int: it must hold a string"),
    ],
)
def test_a_broken_line_is_named(tmp_path: Path, line: bytes, problem: str) -> None:
    path = tmp_path / "a.jsonl"
    path.write_bytes(json_lines(["one", "two"]) + line + b"\n")
    with pytest.raises(BrokenFileError, match=rf"a\.jsonl, line 3: {problem}") as caught:
        list(read_json_lines(path, field="text"))
    assert caught.value.line == 3


def test_a_line_without_end_is_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("proxy_training.corpus.readers.LINE_BYTES", 1000)
    path = tmp_path / "a.jsonl"
    path.write_bytes(json_lines(["x" * 2000]))
    with pytest.raises(BrokenFileError, match="line 1: longer than 1000 bytes"):
        list(read_json_lines(path, field="text"))


def test_another_field_may_hold_the_text(tmp_path: Path) -> None:
    path = tmp_path / "a.jsonl"
    path.write_bytes(json_lines(["one"], field="body"))
    assert list(read_json_lines(path, field="body")) == [(1, "one")]


def test_parquet_rows_come_back_and_null_is_empty(tmp_path: Path) -> None:
    path = tmp_path / "a.parquet"
    rows = [*TEXTS, None] * 100
    parquet.write_table(pa.table({"n": range(len(rows)), "text": rows}), path)
    read = list(read_parquet(path, column="text"))
    assert [text for _, text in read] == [text or "" for text in rows]
    assert [number for number, _ in read] == list(range(1, len(rows) + 1))


def test_broken_parquet_is_named(tmp_path: Path) -> None:
    path = tmp_path / "a.parquet"
    parquet.write_table(pa.table({"body": ["a"], "number": [1]}), path)
    with pytest.raises(BrokenFileError, match=r"has no column 'text': .* \(found: 'body', 'number'\)"):
        list(read_parquet(path, column="text"))
    with pytest.raises(BrokenFileError, match="line 1: 'number' holds a int"):
        list(read_parquet(path, column="number"))
    path.write_bytes(path.read_bytes()[:-20])
    with pytest.raises(BrokenFileError, match="cannot be read as Parquet"):
        list(read_parquet(path, column="body"))
    path.write_bytes(b"")
    with pytest.raises(BrokenFileError, match="cannot be read as Parquet"):
        list(read_parquet(path, column="body"))


@given(text=st.text(max_size=30), limit=st.integers(1, 100))
def test_the_beginning_of_a_text_ends_at_a_character(
    tmp_path_factory: pytest.TempPathFactory, text: str, limit: int
) -> None:
    path = tmp_path_factory.getbasetemp() / "plain.txt"
    path.write_bytes(text.encode())
    read, unread = read_plain(path, limit=limit)
    assert text.removeprefix("\ufeff").startswith(read)
    assert len(read.encode()) <= limit
    assert len(read.encode()) + unread in {len(text.encode()), len(text.encode()) - 3}
    if unread:
        assert len(text[: len(read) + 1].encode()) > limit or text.startswith("\ufeff")


@pytest.mark.parametrize("raw", [b"abc\xff", b"\xffabc", b"abc\xe6\xbc", b"\x80" * 10])
def test_text_that_is_not_utf8_is_an_error_wherever_it_breaks(tmp_path: Path, raw: bytes) -> None:
    path = tmp_path / "a.txt"
    path.write_bytes(raw)
    with pytest.raises(UnicodeDecodeError):
        read_plain(path, limit=10)
