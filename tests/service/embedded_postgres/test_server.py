"""What a started server is: reachable by its owner alone, with our database, as durable as PostgreSQL is."""

import os
import stat
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path

import psutil
import psycopg
import pytest
import sqlalchemy

from service.embedded_postgres import EmbeddedPostgres, default_folder
from service.embedded_postgres.account import Account
from service.embedded_postgres.home import Home
from tests.service.embedded_postgres.actors import is_gone, postmaster, postmasters, rows, run

Embedded = Callable[..., EmbeddedPostgres]


def test_a_database_and_a_role_named_mixwright_are_there_and_outlive_the_server(
    embedded: Embedded, home: Path
) -> None:
    with embedded() as server:
        assert rows(server.url, "SELECT current_database(), current_user") == [("mixwright", "mixwright")]
        run(server.url, "CREATE TABLE outliving (x int)", "INSERT INTO outliving VALUES (7)")
        first = postmaster(home)
    assert is_gone(first)
    with embedded() as server:
        assert rows(server.url, "SELECT x FROM outliving") == [(7,)]


def test_only_the_owner_with_the_password_gets_in_and_no_port_is_open(
    embedded: Embedded, home: Path, server_account: Account
) -> None:
    server = embedded().start()
    files = Home(server.folder, server_account)
    password = (files.cluster / "password").read_text().strip()
    for wrong in (server.url.replace(password, "x"), server.url.replace(f":{password}@", "@")):
        with pytest.raises(psycopg.OperationalError, match="password"):
            psycopg.connect(wrong)
    sockets = home / "socket"
    assert stat.S_IMODE(sockets.stat().st_mode) == 0o700
    assert stat.S_IMODE((sockets / ".s.PGSQL.5432").stat().st_mode) == 0o700
    assert stat.S_IMODE((files.cluster / "password").stat().st_mode) == 0o600
    assert stat.S_IMODE(files.data.stat().st_mode) == 0o700
    assert (files.cluster / "pg_hba.conf").read_text() == "local all all scram-sha-256\n"
    assert rows(server.url, "SELECT type, auth_method FROM pg_hba_file_rules") == [("local", "scram-sha-256")]
    assert rows(server.url, "SHOW listen_addresses") == [("",)]
    for process in [postmaster(home), *postmaster(home).children(recursive=True)]:
        with suppress(psutil.Error):  # a session may be ending, and in a container root may not look
            assert process.net_connections("inet") == []


def test_the_password_is_random_and_does_not_show_in_a_printed_server(
    embedded: Embedded, place: Path
) -> None:
    servers = [embedded().start(), embedded(place / "another").start()]
    passwords = [(server.folder / "cluster" / "password").read_text().strip() for server in servers]
    assert passwords[0] != passwords[1]
    assert min(map(len, passwords)) >= 32
    assert passwords[0] not in repr(servers[0])


def test_what_safety_rests_on_cannot_be_configured_away(embedded: Embedded) -> None:
    first = embedded()
    server = first.start()
    run(
        server.url,
        "ALTER SYSTEM SET listen_addresses = '*'",
        "ALTER SYSTEM SET unix_socket_permissions = '0777'",
    )
    first.release()
    server = first.start()
    assert rows(server.url, "SHOW listen_addresses") == [("",)]
    assert rows(server.url, "SHOW unix_socket_permissions") == [("0700",)]


def test_the_settings_are_durable_and_the_text_is_unicode(embedded: Embedded) -> None:
    server = embedded().start()
    wanted = {
        "fsync": "on",
        "synchronous_commit": "on",
        "full_page_writes": "on",
        "data_checksums": "on",
        "max_connections": "100",
        "shared_buffers": "128MB",
        "server_encoding": "UTF8",
        "password_encryption": "scram-sha-256",
        "TimeZone": "UTC",
        "logging_collector": "on",
    }
    found = {name: rows(server.url, f"SHOW {name}")[0][0] for name in wanted}
    assert found == wanted
    locale = "SELECT datlocprovider::text, datlocale FROM pg_database WHERE datname = current_database()"
    assert rows(server.url, locale) == [("b", "C.UTF-8")]
    assert rows(server.url, "SELECT lower('ÄÖ') = 'äö', 'a' < 'b'") == [(True, True)]


def test_databases_are_made_from_a_template(embedded: Embedded) -> None:
    server = embedded().start()
    maintenance = server.url.replace("/mixwright?", "/postgres?")
    run(server.url, "CREATE TABLE seed AS SELECT 1 AS x")
    run(maintenance, "CREATE DATABASE copy TEMPLATE mixwright")
    assert rows(server.url.replace("/mixwright?", "/copy?"), "SELECT x FROM seed") == [(1,)]
    run(maintenance, "DROP DATABASE copy WITH (FORCE)")


def test_sqlalchemy_reads_the_url(embedded: Embedded) -> None:
    url = sqlalchemy.make_url(embedded().start().url).set(drivername="postgresql+psycopg")
    engine = sqlalchemy.create_engine(url, poolclass=sqlalchemy.NullPool)
    with engine.connect() as connection:
        assert connection.scalar(sqlalchemy.text("SELECT current_database()")) == "mixwright"


def test_starting_and_releasing_twice_is_starting_and_releasing_once(embedded: Embedded, home: Path) -> None:
    one = embedded()
    one.release()
    server = one.start()
    first = postmaster(home)
    assert one.start() == server
    assert postmaster(home) == first
    one.release()
    one.release()
    assert is_gone(first)


@pytest.mark.parametrize("name", ["space comma, and shell-$(id)-`id`;&|<>", "umlaut-ä-雪-quotes'\"-\\%41"])
def test_a_home_can_be_moved_and_no_character_of_its_path_means_anything(
    embedded: Embedded, stopped: Path, place: Path, name: str
) -> None:
    stopped.rename(place / name)
    try:
        with embedded(place / name) as server:
            assert rows(server.url, "SELECT 1") == [(1,)]
            assert server.folder == place / name
        assert postmasters(place) == []
    finally:
        (place / name).rename(stopped)


def test_a_link_to_a_folder_leads_to_the_same_server(embedded: Embedded, home: Path, place: Path) -> None:
    embedded().start()
    (place / "link").symlink_to(home)
    embedded(place / "link").start()
    assert len(postmasters(home)) == 1
    assert postmasters(place) == []


def test_the_default_folder_is_within_the_data_folder(place: Path) -> None:
    assert default_folder(place).parent == place


def test_old_and_large_logs_are_removed_at_a_start(embedded: Embedded) -> None:
    with embedded() as server:
        log = server.folder / "log"
    old, large = log / "server-Old.log", log / "server-Large.log"
    old.touch()
    os.utime(old, (0, 0))
    with large.open("wb") as file:
        file.truncate(17 * 2**20)
    embedded().start()
    assert not old.exists()
    assert not large.exists()
    assert len(list(log.glob("server-*.log"))) == 1
