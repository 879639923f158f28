"""The spool: bounded, in order, and still there after a crash."""

import errno
import json
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from mixclient.spool import ATTEMPT, Spool

from mixclient import spool as spools

put = spools._put


def test_reports_come_back_in_order_after_a_crash(tmp_path: Path) -> None:
    spool = Spool(tmp_path / "reports.jsonl")
    for step in range(10):
        spool.append({"step": step})
    spool.take_off(3)
    again = Spool(tmp_path / "reports.jsonl")
    waiting = [report["step"] for report in again.oldest(100)]
    # Reports that were taken off may come again, but none is missing and none out of order.
    assert waiting[-7:] == [3, 4, 5, 6, 7, 8, 9]
    assert waiting == sorted(waiting)


def test_a_line_torn_by_a_crash_is_dropped_and_counted(tmp_path: Path) -> None:
    path = tmp_path / "reports.jsonl"
    path.write_text('{"step": 1}\n{"step": 2}\n{"st', encoding="utf-8")
    spool = Spool(path)
    assert [report["step"] for report in spool.oldest(9)] == [1, 2]
    assert spool.dropped == 1
    spool.append({"step": 3})
    assert [report["step"] for report in Spool(path).oldest(9)] == [1, 2, 3]


def test_beyond_its_limit_the_oldest_go_and_are_counted(tmp_path: Path) -> None:
    spool = Spool(tmp_path / "reports.jsonl", limit=5)
    for step in range(8):
        spool.append({"step": step})
    assert [report["step"] for report in spool.oldest(9)] == [3, 4, 5, 6, 7]
    assert spool.dropped == 3


def test_the_file_does_not_grow_for_ever(tmp_path: Path) -> None:
    path = tmp_path / "reports.jsonl"
    spool = Spool(path, limit=100)
    for step in range(5000):
        spool.append({"step": step})
        if step % 3 == 0:
            spool.take_off(2)
    assert path.stat().st_size < 2000 * len(json.dumps({"step": 5000}))


@pytest.mark.parametrize("path", [Path("/proc/nowhere/reports.jsonl"), None])
def test_without_a_disk_the_spool_lives_in_memory(path: Path | None) -> None:
    spool = Spool(path)
    spool.append({"step": 1})
    assert spool.oldest(1) == [{"step": 1}]


operations = st.lists(st.one_of(st.just("append"), st.integers(1, 4), st.just("crash")), max_size=40)


@given(operations=operations)
def test_any_sequence_of_calls_and_crashes_loses_nothing_that_was_not_taken_off(
    operations: list[str | int], tmp_path_factory: pytest.TempPathFactory
) -> None:
    path = tmp_path_factory.mktemp("spool") / "reports.jsonl"
    spool, appended, taken = Spool(path), 0, 0
    for operation in operations:
        if operation == "append":
            spool.append({"n": appended})
            appended += 1
        elif isinstance(operation, int):
            ahead = [report["n"] for report in spool.oldest(operation)]
            spool.take_off(len(ahead))
            taken = max([taken, *(n + 1 for n in ahead)])
        else:
            spool = Spool(path)
        waiting = [report["n"] for report in spool.oldest(10**6)]
        assert waiting == list(range(appended - len(waiting), appended)), "in order, without gaps"
        assert appended - len(waiting) <= taken, "nothing is missing that was not taken off"


def test_a_line_that_is_no_report_is_dropped_and_counted(tmp_path: Path) -> None:
    path = tmp_path / "reports.jsonl"
    path.write_text('null\n7\n{"step": 1}\n', encoding="utf-8")
    spool = Spool(path)
    assert spool.oldest(9) == [{"step": 1}]
    assert spool.dropped == 2


def full(path: Path, mode: str, _: Any) -> None:
    """What a disk does that fills up within a line."""
    put(path, mode, [b'{"st'])
    raise OSError(errno.ENOSPC, "No space left on device")


def test_a_full_disk_costs_nothing_and_is_written_again_once_there_is_room(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    path = tmp_path / "reports.jsonl"
    spool = Spool(path)
    spool.append({"step": 1})
    monkeypatch.setattr(spools, "_put", full)
    for step in range(2, 5):
        spool.append({"step": step})
    assert not spool.on_disk
    assert [record.levelname for record in caplog.records] == ["WARNING"], "told once"
    monkeypatch.setattr(spools, "_put", put)
    spool.append({"step": 5})
    assert not spool.on_disk, "a disk that fails is left alone for a while"
    spool._try_again_at = 0.0
    spool.take_off(1)
    spool.append({"step": 6})
    assert [report["step"] for report in Spool(path).oldest(9)] == [2, 3, 4, 5, 6]
    assert Spool(path).dropped == 0


def test_a_file_that_cannot_be_read_is_left_alone(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    (tmp_path / "reports.jsonl").mkdir()
    spool = Spool(tmp_path / "reports.jsonl")
    spool.append({"step": 1})
    spool.take_off(1)
    assert not spool.on_disk
    assert "cannot be read" in caplog.text
    assert (tmp_path / "reports.jsonl").is_dir()


def test_reports_of_megabytes_are_bounded_too(tmp_path: Path) -> None:
    spool = Spool(tmp_path / "reports.jsonl", limit_bytes=10_000)
    spool.append({"kind": ATTEMPT, "body": {}})
    for step in range(30):
        spool.append({"step": step, "gram": "x" * 980})
    assert spool.bytes <= 10_000
    waiting = spool.oldest(99)
    assert waiting[0]["kind"] == ATTEMPT, "an attempt that is owed stays"
    assert [report["step"] for report in waiting[1:]] == list(range(21, 30))
    assert spool.dropped == 21
    assert (tmp_path / "reports.jsonl").stat().st_size <= 1.3 * 10_000
    assert Spool(tmp_path / "reports.jsonl", limit_bytes=10_000).bytes == spool.bytes
    spool.take_off(99)
    assert (spool.bytes, len(spool), spool.owes_attempt) == (0, 0, False)


def test_a_line_that_nests_without_end_is_dropped_and_counted(tmp_path: Path) -> None:
    (tmp_path / "reports.jsonl").write_text("[" * 100_000 + '\n{"step": 1}\n')
    spool = Spool(tmp_path / "reports.jsonl")
    assert (spool.oldest(9), spool.dropped) == ([{"step": 1}], 1)


def test_a_report_that_is_no_json_is_dropped_and_counted_and_costs_no_other(tmp_path: Path) -> None:
    spool = Spool(tmp_path / "reports.jsonl")
    spool.extend([{"step": 1}, {"step": float("nan")}, {"step": object()}, {"step": 2}])
    for known in (spool, Spool(tmp_path / "reports.jsonl")):
        assert [report["step"] for report in known.oldest(9)] == [1, 2]
    assert spool.dropped == 2
