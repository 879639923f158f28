"""The log: one JSON object a line, of a request what may be said of it, and never a reason to fail."""

import asyncio
import io
import json
import logging
from collections.abc import Iterator
from pathlib import Path

import pytest

from service.observing import logs
from service.observing.logs import configure, scrub
from service.observing.observed import current
from tests.support.servers import Service, running


@pytest.fixture(autouse=True)
def as_before() -> Iterator[None]:
    """Logging as it was."""
    root = logging.getLogger()
    handlers, level = root.handlers, root.level
    yield
    root.handlers, root.level = handlers, level
    for name in ("procrastinate", "httpx", "alembic"):
        logging.getLogger(name).setLevel(logging.NOTSET)


def lines(stream: io.StringIO) -> list[dict[str, object]]:
    return [json.loads(line) for line in stream.getvalue().splitlines()]


def test_a_request_is_told_by_its_route_and_without_what_is_secret(service: Service, tmp_path: Path) -> None:
    stream = io.StringIO()
    with running(service.database, tmp_path, access_log=True, tasks_inside=False) as logged:
        configure("json", stream=stream)
        logged.call("GET", "/v1/jobs/nothing/schedule?link=SECRET", {"private": "SECRET"})
        with logged.http() as stranger:
            stranger.get("/login", params={"link": "SECRET"})
    told = [line for line in lines(stream) if line["event"] == "request"]
    assert [(line["route"], line["status"]) for line in told] == [
        ("/v1/jobs/{job}/schedule", 404),
        ("/login", 401),
    ]
    first = told[0]
    assert (first["method"], first["caller"], first["level"]) == ("GET", "key test", "info")
    assert first["request_id"]
    assert isinstance(first["milliseconds"], float)
    assert "SECRET" not in stream.getvalue()
    assert logged.key not in stream.getvalue()


def test_no_request_is_told_unless_that_is_wanted(service: Service) -> None:
    stream = io.StringIO()
    configure("json", stream=stream)
    service.call("GET", "/v1/jobs")
    assert [line for line in lines(stream) if line["event"] == "request"] == []


@pytest.mark.parametrize(
    "secret",
    [
        "Bearer mx_0123456789ab_abcdefghij",
        "mx_0123456789ab_abcdefghij",
        "postgresql://mixwright:abcdefghij@db/mixwright",
        "GET /login?link=abcdefghij HTTP/1.1",
    ],
)
def test_keys_and_passwords_are_taken_out_of_lines_and_errors(secret: str) -> None:
    stream = io.StringIO()
    configure("json", stream=stream)
    logging.getLogger("service").error("it was %s", secret, exc_info=ValueError(secret))
    (line,) = lines(stream)
    assert "ValueError" in str(line["exception"])
    assert "abcdefghij" not in stream.getvalue()
    assert scrub(secret) != secret


def test_a_log_that_cannot_be_written_stops_nobody(service: Service) -> None:
    closed = io.StringIO()
    closed.close()
    full = Path("/dev/full").open("w", buffering=1)  # noqa: SIM115 - closing it fails, as it should
    for stream in (closed, full):
        configure("json", stream=stream)
        logging.getLogger("service").error("nobody reads this")
        handler = logging.getLogger().handlers[0]
        assert isinstance(handler, logs.UnstoppableHandler)
        assert handler.lost == 1
        assert service.call("GET", "/v1/jobs").json()["items"] == []
    with pytest.raises(OSError, match="No space"):
        full.close()


def test_lines_of_one_request_have_its_id_and_no_others() -> None:
    stream = io.StringIO()
    configure("json", stream=stream)

    async def request(number: int) -> None:
        current.set({"request_id": f"id-{number}", "method": "GET"})
        await asyncio.sleep(0)
        logging.getLogger("service").warning("of %d", number)

    async def both() -> None:
        await asyncio.gather(request(1), request(2))

    asyncio.run(both())
    assert [(line["event"], line["request_id"]) for line in lines(stream)] == [
        ("of 1", "id-1"),
        ("of 2", "id-2"),
    ]
