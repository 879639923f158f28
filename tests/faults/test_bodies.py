"""Bodies that are too large, too slow, packed, or no JSON: cut off and told, and nobody else notices."""

import gzip
import json
import socket
import time
import tracemalloc
from collections.abc import Iterator
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import httpx
import pytest

from service.db import Database
from tests.faults.trainers import PATH, create, posted, refused, report, send, told
from tests.service.problems import problem_of
from tests.service.reports import JOB
from tests.support.servers import Service, running
from tests.support.stored import reports_of

LARGEST = 4 * 1024 * 1024
SMALL = 64 * 1024


@pytest.fixture
def service(tenant: Service) -> Service:
    return tenant


@pytest.fixture
def strict(database: Database, tmp_path: Path) -> Iterator[Service]:
    """A service that takes small bodies and has little patience, with a job."""
    limits: dict[str, Any] = {"largest_body_bytes": SMALL, "body_seconds": 0.3}
    with running(database, tmp_path, tasks_inside=False, **limits) as started:
        create(started)
        yield started


def test_case_20_a_batch_over_the_cap_is_413_and_one_at_the_cap_is_taken(service: Service) -> None:
    create(service)
    reports = [report(step, step_from=step) for step in range(1001)]
    for count in (1001, 10_000):
        body = {"reports": (reports * 10)[:count]}
        refused(service, body, 413, f"{count}", "at most 1000", code="batch_too_large")
    assert send(service, *reports[:1000])["accepted"] == 1000


@pytest.mark.parametrize(
    ("bad", "status", "code"),
    [
        ({"token_counts": {"web": -1}}, 422, "invalid_request"),
        ({"loss_sums": {"wep": 1.0}}, 422, "unknown_domain"),
        ({"schedule_version": 77}, 422, "unknown_version"),
        ({"attempt": 9}, 409, "unknown_attempt"),
    ],
)
def test_case_20_one_bad_item_leaves_the_whole_batch_out_and_is_named_by_its_place(
    service: Service, bad: dict[str, object], status: int, code: str
) -> None:
    create(service)
    batch = [report(9), report(19), report(29, **bad), report(39)]
    refused(service, {"reports": batch}, status, "reports.2", code=code)
    assert send(service, report(9))["accepted"] == 1, "nothing of it was there"


def test_case_21_a_body_that_is_too_large_is_refused_whether_it_says_so_or_not(service: Service) -> None:
    create(service)
    problem_of(posted(service, b" " * (LARGEST + 1)), 413, str(LARGEST), code="body_too_large")

    def chunks() -> Iterator[bytes]:
        for _ in range(LARGEST // 65_536 + 1):
            yield b" " * 65_536

    with service.http(service.key, **{"Content-Type": "application/json"}) as http:
        chunked = http.post(f"{PATH}/reports", content=chunks())
        assert "transfer-encoding" in chunked.request.headers
        problem_of(chunked, 413, str(LARGEST), code="body_too_large")
        problem_of(http.post(f"{PATH}/reports", content=b" " * LARGEST), 422, "no valid JSON")
    assert told(service)["reports_accepted"] == 0


def raw(service: Service, *headers: str) -> socket.socket:
    """A connection that has sent the head of a report."""
    parts = urlsplit(service.url)
    connection = socket.create_connection((parts.hostname or "", parts.port or 0), timeout=20)
    lines = (
        f"POST {PATH}/reports HTTP/1.1",
        f"Host: {parts.netloc}",
        f"Authorization: Bearer {service.key}",
        "Content-Type: application/json",
        *headers,
    )
    connection.sendall("".join(f"{line}\r\n" for line in (*lines, "")).encode())
    return connection


def said(connection: socket.socket) -> bytes:
    """All that comes until the service closes the connection."""
    told = b""
    while part := connection.recv(65_536):
        told += part
    return told


def test_case_21_a_body_without_end_takes_no_memory_and_is_cut_off(strict: Service) -> None:
    chunk = b"10000\r\n" + b" " * 65_536 + b"\r\n"
    sent = 0
    tracemalloc.start()
    try:
        with raw(strict, "Transfer-Encoding: chunked") as connection:
            try:
                for _ in range(1024):  # 64 MiB, if anybody took them
                    connection.sendall(chunk)
                    sent += len(chunk)
                answer = said(connection)
            except OSError:
                answer = b""  # the connection was cut before all of it was sent
        peak = tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()
    assert sent < 1024 * len(chunk) or b"413" in answer.split(b"\r\n", 1)[0]
    assert peak < 16 * SMALL, "nothing that is too large is kept"
    assert told(strict)["reports_accepted"] == 0


def test_case_21_who_sends_a_byte_now_and_then_is_cut_off_and_stops_nobody(strict: Service) -> None:
    slow = [raw(strict, "Content-Length: 1000") for _ in range(30)]
    started = time.monotonic()
    try:
        for connection in slow:
            connection.sendall(b"{")
        assert send(strict, report(9))["accepted"] == 1, "others are answered meanwhile"
        for connection in slow:
            answer = said(connection)
            assert answer.startswith(b"HTTP/1.1 408 ")
            assert json.loads(answer.split(b"\r\n\r\n", 1)[1])["code"] == "body_too_slow"
    finally:
        for connection in slow:
            connection.close()
    assert time.monotonic() - started >= 0.3
    assert len(reports_of(strict, JOB["name"])) == 1


@pytest.mark.parametrize("encoding", ["gzip", "deflate", "br", "gzip, identity"])
def test_case_21_a_packed_body_is_not_unpacked(service: Service, encoding: str) -> None:
    create(service)
    bomb = gzip.compress(b" " * 10_000_000)
    answer = posted(service, bomb, **{"Content-Encoding": encoding})
    problem_of(answer, 415, encoding, "without compression", code="unsupported_encoding")
    assert told(service)["reports_accepted"] == 0


@pytest.mark.parametrize("kind", ["text/plain", "application/x-www-form-urlencoded", "application/xml", ""])
def test_case_22_a_body_of_another_kind_is_told_which_header_to_send(service: Service, kind: str) -> None:
    create(service)
    answer = posted(service, json.dumps(report(9)), **{"Content-Type": kind})
    problem_of(answer, 415, "'Content-Type: application/json'", code="unsupported_media_type")
    assert told(service)["reports_accepted"] == 0


UNREADABLE = {"not UTF-8", "nests too deeply", "too many digits", "byte order mark"}


@pytest.mark.parametrize(
    ("body", "words"),
    [
        (b"{", "no valid JSON at character 1"),
        (b'{"name": "x",}', "no valid JSON"),
        (b"{'name': 'x'}", "no valid JSON"),
        (b'{"name": "x"} {}', "no valid JSON"),
        (b"\xef\xbb\xbf{}", "byte order mark"),
        (b'{"name": "\xff\xfe"}', "not UTF-8"),
        ('{"name": "x", "name": "y"}'.encode("utf-16"), "not UTF-8"),
        (b"\x00", "body"),
        (b"", "body: Field required"),
        (b"null", "body"),
        (b"[]", "body"),
        (b'"name"', "body"),
        (b"NaN", "body"),
        (b"[" * 100_000, "nests too deeply"),
        (b'{"a":' * 20_000 + b"1" + b"}" * 20_000, "nests too deeply"),
        (b'{"a":' * 65 + b"1" + b"}" * 65, "nests too deeply"),
        (b"1" * 5_000, "too many digits"),
        (rb'{"name": "a\ud800"}', "body.name"),
    ],
    ids=range(18),
)
def test_case_22_what_is_no_json_object_is_refused(tenant: Service, body: bytes, words: str) -> None:
    with tenant.http(tenant.key, **{"Content-Type": "application/json"}) as http:
        answer: httpx.Response = http.post("/v1/studies", content=body)
    problem_of(answer, 400 if words in UNREADABLE else 422, words)
    assert tenant.client.studies() == []


def test_case_22_nothing_of_a_body_that_cannot_be_read_is_stored(service: Service) -> None:
    create(service)
    good = json.dumps(report(9))
    for text in (good + "x", good[:-1], "\ufeff" + good):
        assert posted(service, text.encode()).status_code in {400, 422}
    assert told(service)["reports_accepted"] == 0
    assert posted(service, good).status_code == 200
