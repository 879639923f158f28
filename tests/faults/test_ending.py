"""Ending: whoever waits is answered and not cut off, and the process ends in order."""

import json
import os
import signal
from collections.abc import Iterator
from contextlib import ExitStack, closing, contextmanager
from multiprocessing.process import BaseProcess
from pathlib import Path

import psycopg
import pytest

from service.db import Database
from tests.service.embedded_postgres.actors import until
from tests.support.callers import DEADLINE_SECONDS, Caller
from tests.support.processes import command, spawned

JOB = {"name": "live", "policy": "static", "domains": [{"name": "web", "tokens": 1}], "samples_per_step": 8}
PATH = "/v1/jobs/live/schedule"
WAITERS = 20
STREAMS = 500


@contextmanager
def served(database: Database, folder: Path) -> Iterator[tuple[BaseProcess, str, str]]:
    """The service as the command line runs it: its process, its address and its admin key."""
    ready = folder / "ready.json"
    options = ["--port", "0", "--no-tasks", "--ready-file", str(ready)]
    environment = {"MIXWRIGHT_DATABASE_URL": database.url, "MIXWRIGHT_DATA_FOLDER": str(folder)}
    with spawned(command, ["serve", *options], environment) as (process, _):
        until(lambda: ready.exists() or not process.is_alive())
        told = json.loads(ready.read_text())
        yield process, told["url"], Path(told["key_file"]).read_text().strip()


def signalled(process: BaseProcess, *numbers: signal.Signals) -> None:
    assert process.pid is not None
    for number in numbers:
        os.kill(process.pid, number)


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_case_25_long_polls_are_answered_before_the_process_ends(
    database: Database, tmp_path: Path, number: signal.Signals
) -> None:
    with served(database, tmp_path) as (process, address, key), ExitStack() as closed:
        callers = [closed.enter_context(closing(Caller(address, key))) for _ in range(WAITERS + 1)]
        first, *polls = callers
        first.ask("POST", "/v1/jobs", JOB)
        assert first.answer().read()
        # Asked while nobody listens, so that it awakes to all of this and to the signal at once: what was
        # sent before the signal is heard all the same.
        signalled(process, signal.SIGSTOP)
        for poll in polls:
            poll.ask("GET", PATH, **{"If-None-Match": '"1-1"', "Prefer": "wait=55"})
        signalled(process, number, signal.SIGCONT)
        # Nothing new came, and nobody waited for 55 seconds: they were let go.
        answers = [poll.answer() for poll in polls]
        assert {answer.status for answer in answers} == {503}
        assert {json.loads(answer.read())["code"] for answer in answers} == {"ending"}
        assert len({int(answer.headers["Retry-After"]) for answer in answers}) > 1, "they come back as one"
        process.join(DEADLINE_SECONDS)
        assert process.exitcode == 0
        first.close()
        with pytest.raises(ConnectionRefusedError):
            first.ask("GET", "/livez")
    assert connections_left(database) == 1, "it left connections behind"


def test_case_48_five_hundred_streams_are_drained_when_the_process_is_told_to_end(
    database: Database, tmp_path: Path
) -> None:
    with served(database, tmp_path) as (process, address, key), ExitStack() as closed:
        callers = [closed.enter_context(closing(Caller(address, key))) for _ in range(STREAMS + 1)]
        first, *listening = callers
        first.ask("POST", "/v1/jobs", JOB)
        assert first.answer().read()
        for caller in listening:
            caller.ask("GET", f"{PATH}/events")
        streams = [caller.answer() for caller in listening]
        signalled(process, signal.SIGTERM)
        # Each is read to its proper end: one that is cut off raises.
        told = [stream.read().decode() for stream in streams]
        assert {stream.status for stream in streams} == {200}
        assert [text.count('id: "1-1"') for text in told] == [1] * STREAMS
        assert [text.count(": closing") for text in told] == [1] * STREAMS
        returns = {text.rsplit("retry: ", 1)[1].strip() for text in told}
        assert len(returns) > STREAMS / 10, "they come back as one"
        process.join(DEADLINE_SECONDS)
        assert process.exitcode == 0
    assert connections_left(database) == 1, "it left connections behind"


def connections_left(database: Database) -> int:
    """Connections to a database, with the one that asks."""
    with psycopg.connect(database.conninfo) as connection:
        left = "SELECT count(*) FROM pg_stat_activity WHERE datname = current_database()"
        row = connection.execute(left).fetchone()
    assert row is not None
    return int(row[0])
