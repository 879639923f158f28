"""Readers of one file each, without loading it whole: plain text, JSON lines (also compressed), Parquet."""

import codecs
import gzip
import io
import json
import zlib
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pyarrow as pa
import zstandard
from pyarrow import parquet

from proxy_training.corpus.errors import BrokenFileError

LINE_BYTES = 64 * 2**20  # a line beyond it is not one document but a file without line breaks
_ROWS = 256  # rows of a Parquet file in memory at once


def read_plain(path: Path, /, *, limit: int) -> tuple[str, int]:
    """Read the beginning of a text file.

    Returns:
        At most `limit` bytes of text, cut at a character, and the number of bytes left unread.

    Raises:
        UnicodeDecodeError: the file is not UTF-8.
        BrokenFileError: the file cannot be opened.
    """
    try:
        with path.open("rb") as stream:
            raw = stream.read(limit)
            size = stream.seek(0, io.SEEK_END)
    except OSError as error:
        raise BrokenFileError(path, f"cannot be read ({_first_line(error)})") from error
    # The beginning of a character at the cut waits in the decoder; anywhere else it is an error.
    whole = len(raw) == size
    text = codecs.getincrementaldecoder("utf-8-sig")().decode(raw, final=whole)
    return text, 0 if whole else size - len(text.encode())


def read_json_lines(path: Path, /, *, field: str) -> Iterator[tuple[int, str]]:
    """Read one text per line of a `.jsonl`, `.jsonl.gz` or `.jsonl.zst` file.

    Yields:
        Line number, from 1, and text; empty lines are left out.

    Raises:
        BrokenFileError: a line is not JSON, or has no such field, or the compressed stream is damaged.
    """
    for number, line in enumerate(_lines(path), start=1):
        if line.strip():
            yield number, _text_of(line, path=path, number=number, field=field)


def read_parquet(path: Path, /, *, column: str) -> Iterator[tuple[int, str]]:
    """Read one text per row of a Parquet file.

    Yields:
        Row number, from 1, and text; null gives an empty one.

    Raises:
        BrokenFileError: the file is damaged, or has no such column of strings.
    """
    try:
        with parquet.ParquetFile(path) as file:
            if column not in file.schema_arrow.names:
                raise BrokenFileError(path, _absent("column", column, file.schema_arrow.names))
            number = 0
            for batch in file.iter_batches(batch_size=_ROWS, columns=[column]):
                for value in batch.column(0).to_pylist():
                    number += 1
                    yield number, _string(value, path=path, number=number, field=column)
    except (pa.ArrowException, OSError, UnicodeDecodeError) as error:
        raise BrokenFileError(path, f"cannot be read as Parquet ({_first_line(error)})") from error


def _lines(path: Path) -> Iterator[bytes]:
    number = 0
    try:
        with _opened(path) as stream:
            while line := stream.readline(LINE_BYTES + 1):
                number += 1
                if len(line) > LINE_BYTES:
                    raise BrokenFileError(
                        path, f"longer than {LINE_BYTES} bytes: put one document a line", line=number
                    )
                yield line
    except (OSError, EOFError, zlib.error, zstandard.ZstdError) as error:
        problem = f"the file cannot be read further ({_first_line(error)}): copy or compress it again"
        raise BrokenFileError(path, problem, line=number + 1) from error


def _opened(path: Path) -> io.BufferedIOBase:
    if path.suffix == ".gz":
        return gzip.open(path, "rb")
    if path.suffix == ".zst":
        return io.BufferedReader(_ZstandardStream(path))
    return path.open("rb")


class _ZstandardStream(io.RawIOBase):
    """Decompresses a file of one or more frames.

    The library's own reader ends silently where a file is cut; this one says so.
    """

    def __init__(self, path: Path) -> None:
        self._file = path.open("rb")
        self._frame: Any = None
        self._ready = b""

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: Any, /) -> int:
        while not self._ready:
            raw = self._file.read(2**14)
            if not raw:
                if self._frame is not None:
                    raise EOFError("the file ends within a compressed frame")
                return 0
            self._ready = self._decompress(raw)
        count = min(len(buffer), len(self._ready))
        buffer[:count] = self._ready[:count]
        self._ready = self._ready[count:]
        return count

    def close(self) -> None:
        self._file.close()
        super().close()

    def _decompress(self, raw: bytes) -> bytes:
        pieces = []
        while raw:
            if self._frame is None:
                self._frame = zstandard.ZstdDecompressor().decompressobj()
            pieces.append(self._frame.decompress(raw))
            raw = self._frame.unused_data if self._frame.eof else b""
            if self._frame.eof:
                self._frame = None
        return b"".join(pieces)


def _text_of(line: bytes, *, path: Path, number: int, field: str) -> str:
    try:
        record = json.loads(line)
    except (ValueError, RecursionError) as error:
        raise BrokenFileError(path, f"is not JSON ({_first_line(error)})", line=number) from error
    if not isinstance(record, dict):
        raise BrokenFileError(
            path, f"holds a {type(record).__name__}: every line must be a JSON object", line=number
        )
    if field not in record:
        raise BrokenFileError(path, _absent("field", field, list(record)), line=number)
    return _string(record[field], path=path, number=number, field=field)


def _string(value: object, *, path: Path, number: int, field: str) -> str:
    if value is None:
        return ""
    if not isinstance(value, str):
        problem = f"{field!r} holds a {type(value).__name__}: it must hold a string"
        raise BrokenFileError(path, problem, line=number)
    return value


def _absent(kind: str, name: str, known: list[str]) -> str:
    shown = ", ".join(map(repr, known[:10])) or "none"
    return f"has no {kind} {name!r}: name the one that holds the text (found: {shown})"


def _first_line(error: Exception) -> str:
    return (str(error).splitlines() or [type(error).__name__])[0]
