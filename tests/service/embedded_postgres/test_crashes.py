"""After a crash the server recovers, however long that takes, and nothing that was committed is lost."""

import os
import threading
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path

import psutil
import psycopg
import pytest

from service.embedded_postgres import EmbeddedPostgres, progress, running
from service.embedded_postgres.account import Account
from tests.service.embedded_postgres.actors import changed, is_gone, kill_server, postmaster, rows, run, until

Embedded = Callable[..., EmbeddedPostgres]


def test_what_was_committed_under_load_survives_a_kill_of_all_processes(
    embedded: Embedded, home: Path
) -> None:
    one = embedded()
    server = one.start()
    run(server.url, "CREATE TABLE written (x int PRIMARY KEY, filler text)")
    committed: list[int] = []

    def write() -> None:
        with suppress(psycopg.OperationalError), psycopg.connect(server.url, autocommit=True) as connection:
            for number in range(1_000_000):
                connection.execute("INSERT INTO written VALUES (%s, repeat('x', 500))", [number])
                committed.append(number)

    writer = threading.Thread(target=write)
    writer.start()
    until(lambda: len(committed) > 200)
    kill_server(home)
    writer.join()
    server = one.start()
    found = {number for (number,) in rows(server.url, "SELECT x FROM written")}
    assert found >= set(committed)
    assert "automatic recovery in progress" in "".join(
        p.read_text() for p in (server.folder / "log").iterdir()
    )


def test_recovery_is_waited_for_with_messages_and_without_a_time_limit(
    embedded: Embedded, stopped: Path, place: Path, server_account: Account, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(progress, "FIRST_SECONDS", 0.0)
    monkeypatch.setattr(progress, "EVERY_SECONDS", 0.02)
    # A recovery from an archive that does not answer until the gate opens.
    gate = place / "gate"
    restore = f"hot_standby = off\nrestore_command = 'until test -e {gate}; do sleep 0.02; done; exit 1'\n"
    data = stopped / "cluster" / "data"
    (data / "recovery.signal").touch()
    os.chown(data / "recovery.signal", server_account.uid, server_account.gid)
    messages: list[str] = []
    one = embedded(report=messages.append)
    starting = threading.Thread(target=one.start)
    with changed(data / "postgresql.conf", (data / "postgresql.conf").read_text() + restore):
        starting.start()
        until(lambda: sum("waiting for PostgreSQL to accept connections" in m for m in messages) > 20)
        assert starting.is_alive()
        gate.touch()
        starting.join()
    assert any("its log says:" in message for message in messages)
    assert rows(one.start().url, "SELECT pg_is_in_recovery()") == [(False,)]


def test_a_killed_server_is_revived_by_the_next_start_of_a_user_it_already_has(
    embedded: Embedded, home: Path
) -> None:
    one, other = embedded(), embedded()
    server = one.start()
    other.start()
    kill_server(home)
    assert one.start() == server
    assert other.start() == server
    one.release()
    assert rows(server.url, "SELECT 1") == [(1,)]
    last = postmaster(home)
    other.release()
    assert is_gone(last)


def test_a_session_that_outlives_its_killed_server_is_sent_away_first(
    embedded: Embedded, home: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(running, "LEFTOVER_SECONDS", 0.0)
    one = embedded()
    server = one.start()
    busy = psycopg.connect(server.url, autocommit=True)
    session = psutil.Process(busy.info.backend_pid)

    def compute() -> None:
        with suppress(psycopg.Error):
            busy.execute("DO 'BEGIN LOOP END LOOP; END'")

    work = threading.Thread(target=compute)
    work.start()
    until(
        lambda: bool(
            rows(server.url, "SELECT 1 FROM pg_stat_activity WHERE query LIKE 'DO%' AND state = 'active'")
        )
    )
    first = postmaster(home)
    first.kill()
    until(lambda: is_gone(first))
    assert not is_gone(session)
    assert rows(one.start().url, "SELECT 1") == [(1,)]
    assert is_gone(session)
    work.join()
    busy.close()
