"""Ending: whoever waits is answered and not cut off, and the process ends in order."""

import http.client
import json
import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from contextlib import ExitStack, closing, contextmanager
from pathlib import Path
from urllib.parse import urlsplit

import psycopg
import pytest

from service.db import Database
from tests.service.embedded_postgres.actors import DEADLINE_SECONDS, until

ROOT = Path(__file__).parents[2]
JOB = {"name": "live", "policy": "static", "domains": [{"name": "web", "tokens": 1}], "samples_per_step": 8}
PATH = "/v1/jobs/live/schedule"
WAITERS = 20


class Caller:
    """Calls a service; what is sent has been sent when `ask` returns, whether it is answered or not."""

    def __init__(self, address: str, key: str) -> None:
        self._connection = http.client.HTTPConnection(urlsplit(address).netloc, timeout=DEADLINE_SECONDS)
        self._key = key

    def ask(self, method: str, path: str, body: object = None, **headers: str) -> None:
        headers |= {"Authorization": f"Bearer {self._key}", "Content-Type": "application/json"}
        self._connection.request(method, path, None if body is None else json.dumps(body), headers)

    def answer(self) -> http.client.HTTPResponse:
        return self._connection.getresponse()

    def close(self) -> None:
        self._connection.close()


@contextmanager
def served(database: Database, folder: Path) -> Iterator[tuple["subprocess.Popen[bytes]", str, str]]:
    """The service as the command line runs it: its process, its address and its admin key."""
    ready = folder / "ready.json"
    process = subprocess.Popen(
        [sys.executable, "-m", "mixwright", "serve", "--port", "0", "--no-tasks", "--ready-file", str(ready)],
        cwd=ROOT,
        env={
            **os.environ,
            "MIXWRIGHT_DATABASE_URL": database.url,
            "MIXWRIGHT_DATA_FOLDER": str(folder),
        },
    )
    try:
        until(lambda: ready.exists() or process.poll() is not None)
        told = json.loads(ready.read_text())
        yield process, told["url"], Path(told["key_file"]).read_text().strip()
    finally:
        process.kill()
        process.wait()


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_long_polls_and_streams_are_answered_before_the_process_ends(
    database: Database, tmp_path: Path, number: signal.Signals
) -> None:
    with served(database, tmp_path) as (process, address, key), ExitStack() as closed:
        callers = [closed.enter_context(closing(Caller(address, key))) for _ in range(WAITERS + 2)]
        first, stream, *polls = callers
        first.ask("POST", "/v1/jobs", JOB)
        assert first.answer().read()
        stream.ask("GET", f"{PATH}/events")
        events = stream.answer()
        # Asked while nobody listens, so that it awakes to all of this and to the signal at once: what was
        # sent before the signal is heard all the same.
        process.send_signal(signal.SIGSTOP)
        for poll in polls:
            poll.ask("GET", PATH, **{"If-None-Match": '"1-1"', "Prefer": "wait=55"})
        process.send_signal(number)
        process.send_signal(signal.SIGCONT)
        # Nothing new came, and nobody waited for 55 seconds: they were let go.
        assert {poll.answer().status for poll in polls} == {304}
        lines = events.read().decode().splitlines()
        assert [line for line in lines if line.startswith("id:")] == ['id: "1-1"']
        assert process.wait(DEADLINE_SECONDS) == 0
        first.close()
        with pytest.raises(ConnectionRefusedError):
            first.ask("GET", "/livez")
    with psycopg.connect(database.conninfo) as connection:
        left = "SELECT count(*) FROM pg_stat_activity WHERE datname = current_database()"
        assert connection.execute(left).fetchone() == (1,), "it left connections behind"
