"""Several processes share one server, in whatever order they come, leave or are killed."""

import os
import signal
from collections.abc import Callable
from pathlib import Path

import psutil
import psycopg
import pytest

from service.embedded_postgres import EmbeddedPostgres, ServerElsewhereError, running
from service.embedded_postgres.file_lock import FileLock
from tests.service.embedded_postgres.actors import User, is_gone, postmaster, postmasters, rows, run, until

Embedded = Callable[..., EmbeddedPostgres]
Users = Callable[..., User]


def test_ten_processes_that_start_at_once_on_an_empty_folder_share_one_server(
    users: Users, place: Path
) -> None:
    crowd = [users(place / "home") for _ in range(10)]
    for user in crowd:
        user.wait_until_ready()
    for user in crowd:
        user.ask("start")
    urls = {user.answer()["url"] for user in crowd}
    assert len(urls) == 1
    server = postmaster(place)
    assert rows(urls.pop(), "SELECT 1") == [(1,)]
    for user in crowd[:-1]:
        user.release()
    assert not is_gone(server)
    crowd[-1].release()
    assert is_gone(server)


def test_a_killed_user_is_counted_no_more_and_its_server_is_taken_over(
    users: Users, embedded: Embedded, home: Path
) -> None:
    user = users()
    run(user.start()["url"], "CREATE TABLE kept AS SELECT 1 AS x")
    server = postmaster(home)
    user.kill()
    assert not is_gone(server)
    heir = embedded()
    assert rows(heir.start().url, "SELECT x FROM kept") == [(1,)]
    assert postmaster(home) == server
    heir.release()
    assert is_gone(server)


@pytest.mark.parametrize(
    "sign",
    [
        pytest.param("*", id="at once"),
        pytest.param(".cluster-*/data/base", id="in initdb"),
        pytest.param("cluster", id="between initdb and the start"),
        pytest.param("cluster/data/postmaster.pid", id="while the server starts"),
        pytest.param("socket/.s.PGSQL.5432", id="before the database is made"),
    ],
)
def test_a_user_killed_while_it_starts_leaves_a_folder_that_works(
    users: Users, embedded: Embedded, place: Path, sign: str
) -> None:
    user = users(place / "home")
    user.ask("start")
    # What it does a moment after the sign differs from run to run: no moment may be a bad one.
    until(lambda: any((place / "home").glob(sign)))
    user.kill()
    with embedded(place / "home") as server:
        assert rows(server.url, "SELECT current_database()") == [("mixwright",)]
    assert postmasters(place) == []


def test_a_user_killed_while_it_stops_the_server_does_not_hinder_the_next(
    users: Users, embedded: Embedded, home: Path
) -> None:
    user = users()
    user.start()
    first = postmaster(home)
    first.suspend()  # the shutdown is asked for and cannot begin
    user.ask("release")
    until(lambda: not _is_free(home / "lock"))
    user.kill()
    first.send_signal(signal.SIGINT)
    first.resume()
    assert rows(embedded().start().url, "SELECT 1") == [(1,)]
    assert postmaster(home) != first


def test_ctrl_c_in_the_terminal_of_its_first_user_does_not_reach_the_server(
    users: Users, embedded: Embedded, home: Path
) -> None:
    user = users()
    url = user.start()["url"]
    embedded().start()
    with psycopg.connect(url, autocommit=True) as connection:
        os.killpg(user.process.pid, signal.SIGINT)
        user.process.wait()
        assert connection.execute("SELECT 1").fetchall() == [(1,)]
    assert os.getsid(postmaster(home).pid) != user.process.pid


def test_no_zombie_is_left_with_a_user_that_outlives_the_server(
    users: Users, embedded: Embedded, home: Path
) -> None:
    user = users()
    user.start()
    other = embedded()
    other.start()
    user.release()
    assert len(postmasters(home)) == 1
    other.release()
    assert psutil.Process(user.process.pid).children(recursive=True) == []


def test_a_server_that_cannot_be_seen_is_left_alone(
    embedded: Embedded, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(running, "UNSEEN_SECONDS", 0.1)
    with embedded() as server:
        folder = server.folder
    with FileLock(folder / "server") as elsewhere:
        assert elsewhere.try_exclusive()
        with pytest.raises(ServerElsewhereError, match=r"another container or on another machine"):
            embedded().start()
    embedded().start()


def test_the_last_user_stops_the_server_of_a_home_that_was_moved_away(
    embedded: Embedded, home: Path, place: Path
) -> None:
    one = embedded()
    one.start()
    server = postmaster(home)
    home.rename(place / "away")
    one.release()
    assert is_gone(server)
    (place / "away").rename(home)


def test_the_lock_of_the_server_is_held_until_its_last_process_has_ended(
    embedded: Embedded, home: Path
) -> None:
    one = embedded()
    one.start()
    server_file = home / "server"
    assert not _is_free(server_file)
    one.release()
    until(lambda: _is_free(server_file))


def _is_free(path: Path) -> bool:
    with FileLock(path) as lock:
        return lock.try_exclusive()
