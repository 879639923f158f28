"""Whose the server is: root hands it to an account without privileges, an ordinary user keeps it."""

import os
import pwd
import shutil
import stat
from collections.abc import Callable, Iterator
from contextlib import suppress
from pathlib import Path

import psycopg
import pytest

from service.embedded_postgres import AccountError, EmbeddedPostgres, FolderError, account, installation
from service.embedded_postgres import home as homes
from service.embedded_postgres.account import Account
from tests.service.embedded_postgres.actors import User, is_gone, postmaster, postmasters, rows, run, sweep

Embedded = Callable[..., EmbeddedPostgres]
Users = Callable[..., User]


@pytest.fixture
def kept_apart(place: Path) -> Iterator[Path]:
    """Root's own folder for a database requested in `place/closed/home`, removed afterwards."""
    folder = homes.STATE_FOLDER / homes._digest(place / "closed" / "home")
    yield folder
    sweep(folder)
    shutil.rmtree(folder, ignore_errors=True)
    with suppress(OSError):
        homes.STATE_FOLDER.rmdir()  # unless something else is kept there


def closed_folder(place: Path) -> Path:
    (place / "closed").mkdir(mode=0o700)
    return place / "closed" / "home"


@pytest.mark.usefixtures("as_root")
def test_roots_server_runs_under_the_account_without_roots_groups_or_environment(
    embedded: Embedded, server_account: Account, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("SECRET_OF_ROOT", "1")
    server = embedded().start()
    with psycopg.connect(server.url) as connection:
        connection.execute("CREATE TEMPORARY TABLE said (line text)")
        connection.execute("COPY said FROM PROGRAM 'id -u; id -G; env'")
        uid, groups, *environment = [line for (line,) in connection.execute("SELECT line FROM said")]
    assert server_account.uid != 0
    assert (uid, groups) == (str(server_account.uid), str(server_account.gid))
    assert not any("SECRET_OF_ROOT" in line for line in environment)
    assert (server.folder / "cluster" / "data").stat().st_uid == server_account.uid
    assert server.folder.stat().st_uid == 0


@pytest.mark.usefixtures("as_root")
def test_below_a_closed_folder_roots_database_is_kept_apart_and_no_mode_changes(
    embedded: Embedded, place: Path, kept_apart: Path, server_account: Account
) -> None:
    requested = closed_folder(place)
    messages: list[str] = []
    one = embedded(requested, report=messages.append)
    server = one.start()
    assert server.folder == kept_apart
    assert any(str(kept_apart) in message for message in messages)
    run(server.url, "CREATE TABLE kept AS SELECT 1 AS x")
    assert stat.S_IMODE((place / "closed").stat().st_mode) == 0o700
    for folder in (homes.STATE_FOLDER, kept_apart):
        assert (folder.stat().st_uid, stat.S_IMODE(folder.stat().st_mode)) == (0, 0o755)
    data = (kept_apart / "cluster" / "data").stat()
    assert (data.st_uid, stat.S_IMODE(data.st_mode)) == (server_account.uid, 0o700)
    one.release()
    # Its place is settled: opening the folder later does not hide the data behind an empty database.
    (place / "closed").chmod(0o755)
    assert rows(embedded(requested).start().url, "SELECT x FROM kept") == [(1,)]


@pytest.mark.usefixtures("as_root", "state_folder")
def test_a_database_in_place_that_was_closed_off_is_not_replaced_by_an_empty_one(
    embedded: Embedded, home: Path
) -> None:
    with embedded():
        pass
    home.parent.chmod(0o700)
    try:
        with pytest.raises(FolderError, match=r"cannot get there any more"):
            embedded().start()
    finally:
        home.parent.chmod(0o755)


@pytest.mark.usefixtures("as_root")
def test_root_keeps_out_of_folders_that_others_can_write(place: Path, state_folder: Path) -> None:
    for name, uid, mode in (("theirs", 12345, 0o755), ("everybodys", 0, 0o777)):
        (place / name).mkdir()
        os.chown(place / name, uid, -1)
        (place / name).chmod(mode)
        assert homes.find_home(place / name, report=print).folder.parent == state_folder
        assert list((place / name).iterdir()) == []


@pytest.mark.usefixtures("as_root")
def test_binaries_that_the_account_cannot_reach_are_copied_once(
    embedded: Embedded, home: Path, place: Path, state_folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    wheel = installation.package_folder()
    closed = place / "closed"
    closed.mkdir(mode=0o700)
    shutil.copytree(wheel / "pginstall18", closed / wheel.name / "pginstall18")
    shutil.copytree(wheel.parent / f"{wheel.name}.libs", closed / f"{wheel.name}.libs")
    monkeypatch.setattr(installation, "package_folder", lambda: closed / wheel.name)
    (state_folder / "binaries").mkdir(parents=True)
    (state_folder / "binaries" / ".copying-killed").mkdir()
    with embedded() as server:
        assert rows(server.url, "SELECT 1") == [(1,)]
        assert Path(postmaster(home).cmdline()[0]).is_relative_to(state_folder)
    copies = [path for path in (state_folder / "binaries").iterdir() if path.is_dir()]
    assert [copy.name.startswith("postgresql-18-") for copy in copies] == [True]
    made = copies[0].stat().st_ctime_ns
    assert not list(copies[0].rglob("*.a"))
    with embedded():
        assert copies[0].stat().st_ctime_ns == made
    # A file that a crash of the machine left empty is noticed.
    program = copies[0] / wheel.name / "pginstall18" / "bin" / "initdb"
    size = program.stat().st_size
    program.write_bytes(b"")
    with embedded():
        assert program.stat().st_size == size
    assert stat.S_IMODE(closed.stat().st_mode) == 0o700


@pytest.mark.usefixtures("as_root")
def test_data_of_an_ordinary_user_are_not_taken_over_by_root(place: Path) -> None:
    data = place / "home" / "cluster" / "data"
    data.mkdir(parents=True)
    os.chown(data, 12345, -1)
    with pytest.raises(
        FolderError, match=r"belong to the account '12345', so run as the user that created it"
    ):
        homes.find_home(place / "home", report=print)


@pytest.mark.usefixtures("as_root")
def test_the_server_stays_with_the_account_that_owns_the_data(
    embedded: Embedded, home: Path, place: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with embedded() as server:
        owner = (server.folder / "cluster" / "data").stat().st_uid
    # An account made later goes before the one that owns the data.
    monkeypatch.setattr(account, "ACCOUNT_NAMES", ("daemon", *account.ACCOUNT_NAMES))
    embedded().start()
    assert postmaster(home).uids().real == owner
    assert homes.find_home(place / "new", report=print).account.name == "daemon"


@pytest.mark.usefixtures("as_root")
def test_without_any_account_root_is_told_what_to_do(
    embedded: Embedded, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(account, "ACCOUNT_NAMES", ("no-such-account", "root"))
    with pytest.raises(
        AccountError, match=r"create one of them, run as an ordinary user, or set MIXWRIGHT_DATABASE"
    ):
        embedded().start()


def test_an_ordinary_user_has_a_server_of_their_own(
    users: Users, place: Path, ordinary: pwd.struct_passwd
) -> None:
    os.chown(place, ordinary.pw_uid, ordinary.pw_gid)
    user = users(place / "home", ordinary)
    folder = Path(user.start()["folder"])
    assert folder == place / "home"
    assert set(postmaster(place).uids()) == {ordinary.pw_uid}
    modes = {
        path.name: stat.S_IMODE(path.stat().st_mode) for path in (folder, *folder.iterdir()) if path.is_dir()
    }
    assert modes == dict.fromkeys(("home", "cluster", "log", "socket"), 0o700)
    assert {path.stat().st_uid for path in folder.rglob("*")} == {ordinary.pw_uid}
    first = postmaster(place)
    user.kill()
    heir = users(place / "home", ordinary)
    assert rows(heir.start()["url"], "SELECT 1") == [(1,)]
    assert postmaster(place) == first
    heir.release()
    assert is_gone(first)


def test_an_ordinary_user_is_told_of_a_folder_of_somebody_else(
    users: Users, place: Path, ordinary: pwd.struct_passwd
) -> None:
    answer = users(place / "home", ordinary).start()
    assert answer["error"] == "FolderError"
    assert "Permission denied" in answer["message"]
    (place / "home" / "cluster" / "data").mkdir(parents=True)
    os.chown(place / "home" / "cluster" / "data", 12345, -1)
    answer = users(place / "home", ordinary).start()
    assert answer["error"] == "FolderError"
    assert "belong to the account '12345'" in answer["message"]
    assert postmasters(place) == []
